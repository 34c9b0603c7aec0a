import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './port.ts'
import { until } from './until.ts'

export type TestRedis = {
  url: string
  port: number
  pid: number
  /** Ends the server in order, and removes its files. */
  stop(): Promise<void>
  /** `kill -9`. The append-only file stays, for `restart`. */
  kill(): Promise<void>
  /** Starts it again on the same port and files, ended or not before. */
  restart(): Promise<void>
}

/** Why there can be no Redis here; undefined where there can. In CI a missing server is a failure, not a skip. */
export function redisMissing(): string | undefined {
  if (Bun.which('redis-server')) return undefined
  if (Bun.env.CI === 'true') throw new Error('redis-server is not installed, and CI=true')
  return 'redis-server is not installed'
}

/** A real Redis of its own, on a free port, with an append-only file in a directory of its own. */
export async function testRedis(settings: Record<string, string> = {}): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-redis-'))
  const port = freePort()
  let server = start()
  await answering()
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return server.pid
    },
    async stop() {
      server.kill('SIGCONT')
      server.kill('SIGTERM')
      await server.exited
      await rm(dir, { recursive: true, force: true })
    },
    async kill() {
      server.kill('SIGKILL')
      await server.exited
    },
    async restart() {
      server.kill('SIGKILL')
      await server.exited
      server = start()
      await answering()
    },
  }

  function start() {
    if (!existsSync(dir)) throw new Error('this Redis was stopped: its files are gone')
    const defaults = { bind: '127.0.0.1', port: `${port}`, dir, appendonly: 'yes', save: '' }
    const options = Object.entries({ ...defaults, ...settings }).flatMap(([name, value]) => [
      `--${name}`,
      value,
    ])
    return Bun.spawn(['redis-server', ...options], { stdout: 'ignore', stderr: 'ignore' })
  }

  async function answering(): Promise<void> {
    await until('redis-server answers', () => {
      if (server.exitCode !== null) throw new Error(`redis-server ended with ${server.exitCode}`)
      const probe = Bun.spawnSync(['redis-cli', '-p', `${port}`, 'ping'])
      return /PONG|NOAUTH/.test(probe.stdout.toString())
    })
  }
}
