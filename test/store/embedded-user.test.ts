import { expect, test } from 'bun:test'
import { chownSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { isAlive, repository, spawnProcess, until } from '../support/process.ts'

const nobody = readFileSync('/etc/passwd', 'utf8').match(/^nobody:[^:]*:(\d+):(\d+):/m)
const [uid, gid] = [Number(nobody?.[1]), Number(nobody?.[2])]
const reason = whyNot()

test.skipIf(reason !== '')(
  `runs as whoever starts it, if that is not root${reason}`,
  async () => {
    const dir = temporaryFolder()
    chownSync(dir, uid, gid)
    const child = spawnProcess([process.execPath, 'test/support/embedded-child.ts', dir], { uid, gid })
    const pid = Number((await child.line(/^up /, 30_000)).split(' ')[1])
    expect(statSync(join(dir, 'postgres')).uid).toBe(uid)
    expect(statSync(`/proc/${pid}`).uid).toBe(uid)
    await child.kill('SIGKILL')
    await until('Postgres has stopped', () => !isAlive(pid))
  },
  40_000,
)

test.skipIf(reason !== '')(
  `refuses a data directory of somebody else${reason}`,
  async () => {
    const dir = temporaryFolder()
    const first = spawnProcess([process.execPath, 'test/support/embedded-child.ts', dir])
    const pid = Number((await first.line(/^up /, 30_000)).split(' ')[1])
    await first.kill('SIGKILL')
    await until('Postgres has stopped', () => !isAlive(pid))
    const owner = statSync(join(dir, 'postgres'))
    expect(owner.uid).not.toBe(0)
    // Of another user than the one that starts it, who can otherwise do all here.
    const stranger = { uid: uid - 1, gid: gid - 1 }
    chownSync(dir, stranger.uid, stranger.gid)
    chownSync(join(dir, 'postgres.lock'), stranger.uid, stranger.gid)
    const second = spawnProcess([process.execPath, 'test/support/embedded-child.ts', dir], stranger)
    await second.line(new RegExp(`SetupError: .*belongs to user ${owner.uid}.*set another DATA_DIR`), 30_000)
    expect(await second.exited).toBe(1)
  },
  40_000,
)

/** Only root can start a process as somebody else, and that user must be able to reach Bun and the checkout. */
function whyNot(): string {
  if (process.getuid?.() !== 0) return ' (skipped: needs root)'
  if (!nobody) return ' (skipped: there is no user nobody)'
  try {
    const reach = Bun.spawnSync([process.execPath, 'test/support/reach.ts'], { cwd: repository, uid, gid })
    return reach.exitCode === 0 ? '' : ' (skipped: other users cannot reach this checkout)'
  } catch {
    return ' (skipped: other users cannot reach Bun)'
  }
}
