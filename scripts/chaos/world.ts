import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Subprocess } from 'bun'
import { startEmbedded } from '#store'
import { type RunningSluice, startSluice } from '../bench/sluice.ts'
import { type Journal, startJournal } from './upstream.ts'

/** The product, its upstream and its servers, each of which can be killed and started again. */
export type World = {
  journal: Journal
  dataDir: string
  sluice(): RunningSluice
  /** kill -9 to the supervisor and all that it started. */
  killEverything(): Promise<void>
  startAgain(): Promise<void>
  postgres: Killable | null
  redis: Killable | null
  stop(): Promise<void>
}

export type Killable = { kill(): Promise<void>; start(): Promise<void> }

export type WorldOptions = {
  /** BullMQ on Redis instead of on Postgres. @default false */
  redis?: boolean
  /** A Postgres beside the product, so that it can die alone. @default false: embedded */
  postgres?: boolean
  env?: Record<string, string>
  dataDir?: string
}

export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'sluice-chaos-'))
  const serverDir = mkdtempSync(join(tmpdir(), 'sluice-chaos-servers-'))
  const journal = startJournal()
  const redis = options.redis === true ? await startRedis(serverDir) : null
  const postgres = options.postgres === true ? await startPostgres(serverDir) : null
  const env = {
    ...{ DATA_DIR: dataDir, LOG_LEVEL: 'warn', ...options.env },
    ...(redis === null ? {} : { QUEUE_URL: redis.url }),
    ...(postgres === null ? {} : { DATABASE_URL: postgres.url }),
  }
  let sluice = await startSluice(journal.url, env)
  // The clients keep the address over restarts.
  const again = { ...env, PORT: String(sluice.port) }
  return {
    ...{ journal, dataDir, redis, postgres },
    sluice: () => sluice,
    async killEverything() {
      const postmaster = postmasterPid(dataDir)
      const pids = [sluice.supervisorPid, ...livePids(sluice), ...(postmaster === null ? [] : [postmaster])]
      for (const pid of pids) signal(pid, 'SIGKILL')
      await Promise.all(pids.map(gone))
    },
    async startAgain() {
      sluice = await startSluice(journal.url, again)
    },
    async stop() {
      await sluice.stop()
      await redis?.kill()
      await postgres?.kill()
      await journal.stop()
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true })
      rmSync(serverDir, { recursive: true, force: true })
    },
  }
}

/** The supervisor's children now; it starts crashed ones again. */
export function livePids(sluice: RunningSluice, name = ''): number[] {
  try {
    return readFileSync(`/proc/${sluice.supervisorPid}/task/${sluice.supervisorPid}/children`, 'utf8')
      .split(' ')
      .filter((word) => word !== '' && readFileSync(`/proc/${word}/cmdline`, 'utf8').includes(name))
      .map(Number)
  } catch {
    return []
  }
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has gone already.
  }
}

async function gone(pid: number): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await Bun.sleep(10)) {
    const stat = await Bun.file(`/proc/${pid}/stat`)
      .text()
      .catch(() => null)
    if (stat === null || stat.includes(') Z ')) return
  }
  throw new Error(`process ${pid} is still there 10 s after kill -9`)
}

function postmasterPid(dataDir: string): number | null {
  try {
    return Number(readFileSync(join(dataDir, 'postgres/postmaster.pid'), 'utf8').split('\n')[0])
  } catch {
    return null
  }
}

async function startPostgres(dir: string): Promise<Killable & { url: string }> {
  let server = await startEmbedded({ dir })
  return {
    url: server.url,
    async kill() {
      signal(server.pid, 'SIGKILL')
      await server.exited
      await server.stop()
    },
    async start() {
      server = await startEmbedded({ dir, port: server.port })
    },
  }
}

async function startRedis(dir: string): Promise<Killable & { url: string }> {
  const binary = Bun.which('redis-server')
  if (binary === null) throw new Error('redis-server is not installed')
  const probe = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const { port } = probe
  probe.stop(true)
  let child: Subprocess
  const start = async () => {
    child = Bun.spawn(
      [
        ...[binary, '--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', ''],
        ...['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'],
      ],
      { stdout: 'ignore', stderr: 'ignore' },
    )
    for (const deadline = Date.now() + 10_000; Date.now() < deadline; await Bun.sleep(20)) {
      const socket = await Bun.connect({ hostname: '127.0.0.1', port, socket: { data() {} } }).catch(
        () => null,
      )
      if (socket !== null) return void socket.end()
    }
    throw new Error('redis-server: does not listen after 10 s')
  }
  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    async kill() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}
