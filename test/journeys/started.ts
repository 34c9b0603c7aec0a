import { freePort } from '../support/port.ts'
import { isAlive, spawnProcess, type TestProcess } from '../support/process.ts'
import { processTree } from '../support/process-tree.ts'

/** What `bun start` runs, as a person sees it. */
export type Started = {
  process: TestProcess
  url: string
  /** From the greeting; null on a later start. */
  adminKey: string | null
  /** The command that the greeting offers, run in a shell. @returns its output */
  tryIt(): string
  /** GET as the administrator. @returns the JSON */
  read<Body>(path: string, key: string): Promise<Body>
  /** All processes, the supervisor included. */
  pids(): number[]
}

export type StartOptions = { dataDir: string; env?: Record<string, string>; command?: string[]; cwd?: string }

const unset = { DATABASE_URL: undefined, QUEUE_URL: undefined, ADMIN_KEY: undefined, HOST: undefined }

/** Runs the supervisor on a free port, without waiting for it. */
export async function spawnStart({ dataDir, env, command, cwd }: StartOptions): Promise<TestProcess> {
  return spawnProcess(command ?? [process.execPath, 'scripts/start.ts'], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...unset, DATA_DIR: dataDir, PORT: String(freePort()), LOG_LEVEL: 'warn', ...env },
  })
}

/** Starts everything and waits until it is ready. */
export async function startAll(options: StartOptions): Promise<Started> {
  const process = await spawnStart(options)
  const greeting = await process.line(/^Sluice is ready at /, 60_000)
  const url = /http:\S+/.exec(greeting)?.[0] ?? ''
  const curl = (await process.line(/^ {2}curl /)).trim()
  const keyLine = process.lines.find((line) => line.startsWith('Admin key'))
  return {
    process,
    url,
    adminKey: keyLine?.split(': ')[1] ?? null,
    tryIt: () =>
      Bun.spawnSync(['sh', '-c', curl.replace('curl', 'curl -sS --fail-with-body')]).stdout.toString(),
    async read<Body>(path: string, key: string) {
      const response = await fetch(url + path, { headers: { authorization: `Bearer ${key}` } })
      if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`)
      return (await response.json()) as Body
    },
    pids: () => processTree(process.pid),
  }
}

/** Ends it in order. @returns the exit code, how long it took in ms, and which processes are left */
export async function stopAll(
  started: Started,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<{ code: number; ms: number; left: number[] }> {
  const pids = started.pids()
  const from = performance.now()
  const code = await started.process.kill(signal)
  return { code, ms: performance.now() - from, left: pids.filter(isAlive) }
}
