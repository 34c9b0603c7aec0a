import { expect, test } from 'bun:test'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openStore } from '#store'
import { temporaryFolder } from '../support/folder.ts'
import { isAlive, spawnProcess, type TestProcess } from '../support/process.ts'
import { findProcess } from '../support/process-tree.ts'
import { until } from '../support/until.ts'

type Running = { supervisor: TestProcess; pid: number; url: string }

async function start(dir: string): Promise<Running> {
  const supervisor = spawnProcess([process.execPath, 'test/support/embedded-child.ts', dir])
  const [, pid = '', url = ''] = (await supervisor.line(/^up /, 30_000)).split(' ')
  return { supervisor, pid: Number(pid), url }
}

async function write(url: string): Promise<void> {
  const { sql, close } = openStore(url)
  await sql`create table if not exists notes (note text)`
  await sql`insert into notes values ('committed')`
  await close()
}

async function countNotes(url: string): Promise<number> {
  const { sql, close } = openStore(url)
  const [row] = await sql<{ n: number }[]>`select count(*) as n from notes`
  await close()
  return row?.n ?? 0
}

test('when its supervisor is killed with -9 it stops by itself, and starts again with all that was committed', async () => {
  const dir = temporaryFolder()
  const first = await start(dir)
  await write(first.url)
  await first.supervisor.kill('SIGKILL')
  await until('Postgres has stopped', () => !isAlive(first.pid))

  const second = await start(dir)
  expect(await countNotes(second.url)).toBe(1)
  await second.supervisor.kill('SIGKILL')
  await until('Postgres has stopped', () => !isAlive(second.pid))
}, 40_000)

test.skipIf(!existsSync('/proc/self/cmdline'))(
  'a start does not wait for that: it finds the old server and stops it',
  async () => {
    const dir = temporaryFolder()
    const first = await start(dir)
    await write(first.url)
    // Its watchdog too, so that nothing stops it.
    process.kill(findProcess(first.supervisor.pid, /read -r/), 'SIGKILL')
    await first.supervisor.kill('SIGKILL')
    expect(isAlive(first.pid)).toBe(true)

    const second = await start(dir)
    expect(second.supervisor.lines.join()).toContain(`process ${first.pid}`)
    expect(isAlive(first.pid)).toBe(false)
    expect(await countNotes(second.url)).toBe(1)
    await second.supervisor.kill('SIGKILL')
    await until('Postgres has stopped', () => !isAlive(second.pid))
  },
  40_000,
)

test('after Postgres itself was killed with -9 it starts over the stale pid file', async () => {
  const dir = temporaryFolder()
  const first = await start(dir)
  await write(first.url)
  process.kill(first.pid, 'SIGKILL')
  await first.supervisor.kill('SIGKILL')

  const second = await start(dir)
  expect(await countNotes(second.url)).toBe(1)
  await second.supervisor.kill('SIGKILL')
  await until('Postgres has stopped', () => !isAlive(second.pid))

  // As in a container, where pids are few: the old one is somebody else's now.
  const pidFile = join(dir, 'postgres', 'postmaster.pid')
  writeFileSync(pidFile, `${process.pid}\n/proc/self/cwd\n1\n${new URL(first.url).port}\n\n127.0.0.1\n`)
  const third = await start(dir)
  expect(Number(readFileSync(pidFile, 'utf8').split('\n')[0])).toBe(third.pid)
  await third.supervisor.kill('SIGKILL')
  await until('Postgres has stopped', () => !isAlive(third.pid))
}, 40_000)
