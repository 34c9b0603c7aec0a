import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The whole product as a user starts it, on a data directory of its own. */
export type RunningSluice = {
  url: string
  port: number
  adminKey: string
  dataDir: string
  supervisorPid: number
  gatewayPid: number
  workerPids: number[]
  stop(): Promise<void>
}

const root = join(import.meta.dir, '../..')

/**
 * Starts `bun start` with every provider's base URL at the upstream, and waits until it is ready.
 * @throws Error with the tail of its output when it does not start within 60 s
 */
export async function startSluice(
  upstreamUrl: string,
  extra: Record<string, string> = {},
): Promise<RunningSluice> {
  const dataDir = extra.DATA_DIR ?? mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  const port = extra.PORT === undefined ? await freePort() : Number(extra.PORT)
  const adminKey = 'sk-sluice-admin-for-this-measurement'
  const child = Bun.spawn(['bun', join(root, 'scripts/start.ts')], {
    cwd: root,
    env: {
      ...process.env,
      ...{ PORT: String(port), DATA_DIR: dataDir, ADMIN_KEY: adminKey, LOG_LEVEL: 'warn' },
      ...{ OPENAI_BASE_URL: upstreamUrl, ANTHROPIC_BASE_URL: upstreamUrl, GEMINI_BASE_URL: upstreamUrl },
      ...extra,
    },
    stdout: Bun.file(join(dataDir, 'start.log')),
    stderr: Bun.file(join(dataDir, 'start.err')),
  })
  const url = `http://127.0.0.1:${port}`
  let found = 'no answer'
  for (const deadline = Date.now() + 60_000; ; await Bun.sleep(50)) {
    const answer = await fetch(`${url}/ready`).catch(() => null)
    if (answer?.ok === true) break
    found = (await answer?.text()) ?? 'no answer'
    if (Date.now() > deadline || child.exitCode !== null) {
      child.kill('SIGKILL')
      throw new Error(
        `bun start: exit code ${child.exitCode}, /ready says ${found}\n${tail(join(dataDir, 'start.err'))}${tail(join(dataDir, 'start.log'))}`,
      )
    }
  }
  const children = childrenOf(child.pid)
  return {
    ...{ url, port, adminKey, dataDir, supervisorPid: child.pid },
    gatewayPid: children.find((process) => process.command.includes('gateway.ts'))?.pid ?? 0,
    workerPids: children.filter((process) => process.command.includes('worker.ts')).map(({ pid }) => pid),
    async stop() {
      child.kill('SIGTERM')
      await child.exited
      if (extra.DATA_DIR === undefined) rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

function childrenOf(pid: number): { pid: number; command: string }[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => ({ pid: Number(word), command: readFileSync(`/proc/${word}/cmdline`, 'utf8') }))
}

function tail(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(-2_000)
  } catch {
    return ''
  }
}

async function freePort(): Promise<number> {
  const probe = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const { port } = probe
  probe.stop(true)
  return port
}
