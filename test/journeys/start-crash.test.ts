import { expect, test } from 'bun:test'
import { copyFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { testDatabase } from '../support/postgres.ts'
import { isAlive } from '../support/process.ts'
import { findProcess } from '../support/process-tree.ts'
import { until } from '../support/until.ts'
import { type Started, startAll, stopAll } from './started.ts'

type Exchanges = { items: unknown[] }

async function recorded(started: Started, key: string, count: number): Promise<void> {
  const what = `${count} exchanges are on record`
  const isThere = async () => {
    const answer = await started.read<Exchanges>('/api/exchanges', key).catch(() => null)
    return answer?.items.length === count
  }
  await until(what, isThere, 30_000)
}

test('a gateway, a worker or a Postgres that is killed with -9 comes back, and nothing recorded is lost', async () => {
  const started = await startAll({ dataDir: temporaryFolder() })
  const supervisor = started.process.pid
  const key = started.adminKey ?? ''
  let count = 0
  for (const victim of [/processes\/gateway\.ts/, /processes\/worker\.ts/, /bin\/postgres -D/]) {
    expect(started.tryIt()).toContain('message')
    count += 1
    const pid = findProcess(supervisor, victim)
    process.kill(pid, 'SIGKILL')
    await started.process.line(/ended.*: starting it again in \d+ ms/)
    await until('another has taken its place', () => {
      try {
        return findProcess(supervisor, victim) !== pid
      } catch {
        return false
      }
    })
    await until('the gateway answers', () => started.tryIt().includes('message'), 30_000)
    count += 1
    await recorded(started, key, count)
  }
  expect(await stopAll(started)).toMatchObject({ code: 0, left: [] })
}, 180_000)

test('what cannot be started again at once is tried until it can, and all else goes on', async () => {
  const [bun, temporary] = [join(temporaryFolder(), 'bun'), temporaryFolder()]
  copyFileSync(process.execPath, bun)
  const database = await testDatabase()
  const started = await startAll({
    dataDir: temporaryFolder(),
    command: [bun, 'scripts/start.ts'],
    env: { DATABASE_URL: database.url, TMPDIR: temporary },
  })
  rmSync(temporary, { recursive: true })
  renameSync(bun, `${bun}-away`)
  process.kill(findProcess(started.process.pid, /processes\/worker\.ts/), 'SIGKILL')
  await started.process.line(/^sluice: worker cannot be started \(.*\): starting it again in \d+ ms/)
  expect(started.tryIt()).toContain('message')
  renameSync(`${bun}-away`, bun)
  await recorded(started, started.adminKey ?? '', 1)
  expect(await stopAll(started)).toMatchObject({ code: 0, left: [] })
  await database.drop()
}, 120_000)

test('when the supervisor is killed with -9 all else ends by itself, and a start at once finds everything', async () => {
  const dataDir = temporaryFolder()
  const first = await startAll({ dataDir })
  const key = first.adminKey ?? ''
  expect(first.tryIt()).toContain('message')
  const pids = first.pids()
  await first.process.kill('SIGKILL')

  const second = await startAll({ dataDir, env: { PORT: new URL(first.url).port } })
  await until('what the first one ran has ended', () => !pids.some(isAlive), 20_000)
  expect(second.tryIt()).toContain('message')
  await recorded(second, key, 2)
  expect(await stopAll(second)).toMatchObject({ code: 0, left: [] })
}, 120_000)

test('after every process was killed with -9 at once, a start finds everything', async () => {
  const dataDir = temporaryFolder()
  const first = await startAll({ dataDir })
  const key = first.adminKey ?? ''
  expect(first.tryIt()).toContain('message')
  const pids = first.pids()
  // A backend of Postgres may have ended by itself meanwhile.
  Bun.spawnSync(['kill', '-9', ...pids.map(String)])
  await until('all have ended', () => !pids.some(isAlive))

  const second = await startAll({ dataDir })
  await recorded(second, key, 1)
  expect(await stopAll(second)).toMatchObject({ code: 0, left: [] })
}, 120_000)

test('a second signal, later than an echo of the first, ends everything at once', async () => {
  const started = await startAll({ dataDir: temporaryFolder() })
  const pids = started.pids()
  // Cannot drain: it does not even run.
  process.kill(findProcess(started.process.pid, /processes\/gateway\.ts/), 'SIGSTOP')
  const ended = started.process.exited.then(() => true)
  // What comes within 500 ms is taken for an echo of the first, which a busy process may only just have heard.
  const later = () => Bun.sleep(600).then(() => false) // longer than that
  do process.kill(started.process.pid, 'SIGTERM')
  while (!(await Promise.race([ended, later()])))
  expect(await started.process.exited).toBe(130)
  await until('all have ended', () => !pids.some(isAlive))
}, 120_000)

test('a process that does not drain is killed in time for all to end within 10 s', async () => {
  const started = await startAll({ dataDir: temporaryFolder() })
  process.kill(findProcess(started.process.pid, /processes\/gateway\.ts/), 'SIGSTOP')
  const { code, ms, left } = await stopAll(started)
  expect({ code, left }).toEqual({ code: 0, left: [] })
  expect(ms).toBeLessThan(10_000)
}, 120_000)
