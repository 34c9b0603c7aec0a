import { SetupError } from '#lib/errors'
import { type Binaries, identity } from './embedded-binaries.ts'
import { dataPath } from './embedded-cluster.ts'
import { openServerLog } from './embedded-log.ts'
import type { ServerUser } from './embedded-user.ts'

export type Server = { pid: number; exited: Promise<number>; stop(graceMs: number): Promise<void> }

type ServerOptions = {
  folder: string
  user: ServerUser
  binaries: Binaries
  port: number
  durable: boolean
  onLine: (line: string) => void
}

/** Modest: shares a small machine with everything else, writes in bursts, keeps few connections. */
const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '128MB',
  wal_buffers: '16MB',
  wal_compression: 'pglz',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  synchronous_commit: 'on',
  random_page_cost: '1.1',
  jit: 'off',
  // Its log must not repeat what is stored: no statements, no DETAIL lines with values.
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
}

/** Recovery after a crash reads the log up to its largest size: minutes at worst, on a slow disk. */
const startMs = 120_000

/**
 * Starts the server and waits until it answers.
 *
 * It gets a process group of its own, so that Ctrl-C in a terminal reaches the supervisor only, which stops things in
 * order. A watchdog, one `sh` that waits for the end of its input, stops it when this process dies by any means: a
 * second later, in which the other processes of a dead supervisor can drain.
 * @throws SetupError with the server's own words if it does not start
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { folder, user, binaries, port, durable, onLine } = options
  const flags = Object.entries({
    ...settings,
    port,
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
  })
  const lastLines: string[] = []
  let isReady = false
  let stopping = false
  const log = openServerLog(`${folder}.log`, (line) => {
    lastLines.push(line)
    if (lastLines.length > 20) lastLines.shift()
    isReady ||= line.endsWith('database system is ready to accept connections')
    if (!stopping && / (WARNING|FATAL|PANIC): /.test(line)) onLine(`postgres: ${line}`)
  })
  const own = {
    cwd: folder,
    detached: true,
    stdout: 'ignore',
    env: { PATH: '/usr/bin:/bin' },
    ...identity(user),
  } as const
  const child = Bun.spawn(
    [
      binaries.postgres,
      '-D',
      dataPath(folder, user),
      ...flags.flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    { ...own, stdin: 'ignore', stderr: log.fd },
  )
  const watchdog = Bun.spawn(['sh', '-c', `read -r _; sleep 1; kill -INT ${child.pid}`], {
    ...own,
    stdin: 'pipe',
    stderr: 'ignore',
  })
  let isOver = false
  const exited = child.exited.finally(() => {
    isOver = true
    log.close()
    watchdog.kill('SIGKILL')
    return watchdog.exited
  })
  const tooSlow = setTimeout(() => child.kill('SIGQUIT'), startMs)
  while (!isReady && !isOver) {
    await Bun.sleep(10)
    if (!isOver) log.read()
  }
  clearTimeout(tooSlow)
  if (!isReady) {
    child.kill('SIGQUIT')
    await exited
    throw new SetupError(`Postgres in ${folder} does not start: ${reason(lastLines)}`)
  }
  return {
    pid: child.pid,
    exited,
    async stop(graceMs) {
      if (!isOver) log.read()
      stopping = true
      child.kill('SIGINT')
      const hurry = setTimeout(() => child.kill('SIGQUIT'), graceMs)
      await exited
      clearTimeout(hurry)
    },
  }
}

function reason(lines: string[]): string {
  return (
    lines.find((line) => /FATAL|PANIC/.test(line))?.replace(/^.*?(FATAL|PANIC): +/, '') ??
    lines.at(-1) ??
    'no answer'
  )
}
