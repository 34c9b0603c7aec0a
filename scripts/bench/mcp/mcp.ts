import { join } from 'node:path'
import { eachLine } from '#lib/lines'
import { cpuSeconds, residentMiB } from '../process-cost.ts'
import { startSluice } from '../sluice.ts'
import { measureTold, type ToldFigures } from './listeners.ts'
import type { McpLoad, McpPlan } from './load.ts'

export type McpRow = McpLoad & { what: string; way: string; cpuUs: number; rssMiB: number }
export type McpFigures = { rows: McpRow[]; told: ToldFigures; relay: { startMs: number; rssMiB: number } }

const connections = 32
/**
 * What a tool works on its own, on average, in ms: 32 calls are under way, and the machine is not the limit. Past
 * 100 ms a call is also written down while it is under way. With 0 the machine is the limit.
 */
const workMs = [40, 100, 0]
/**
 * Until the engine has compiled what it runs often: a gateway that runs for weeks is not measured by its first
 * seconds.
 */
const warmSeconds = 5

/** A tool over HTTP, asked directly and through the portal with recording on; and how fast a toggle is told. */
export async function measureMcp(seconds: number): Promise<McpFigures> {
  const upstream = await startMcpUpstream()
  const sluice = await startSluice('http://127.0.0.1:9')
  const headers = { authorization: `Bearer ${sluice.adminKey}` }
  try {
    await addServer(sluice, { name: 'bench', transport: 'http', url: upstream.url })
    const direct = { port: upstream.port, path: '/mcp', headers: {}, tool: 'echo' }
    const portal = { port: sluice.port, path: '/mcp', headers, tool: 'bench__echo' }
    await runLoad({ ...portal, ms: 0, connections, seconds: warmSeconds })
    const rows: McpRow[] = []
    for (const ms of workMs) {
      const what = `${connections} at once, tool of ${ms === 0 ? '0' : `${ms / 2} to ${ms * 1.5}`} ms`
      for (const [way, target, pid] of [
        ['direct', direct, upstream.pid],
        ['portal', portal, sluice.gatewayPid],
      ] as const) {
        console.error(`mcp · ${what} · ${way}`)
        const before = cpuSeconds(pid)
        const load = await runLoad({ ...target, ms, connections, seconds })
        const cpuUs = ((cpuSeconds(pid) - before) / Math.max(1, load.calls)) * 1e6
        rows.push({ what, way, ...load, cpuUs, rssMiB: residentMiB(pid) })
      }
    }
    console.error('mcp · listeners')
    const told = await measureTold({ port: sluice.port, headers, listeners: 1_000 }, () =>
      toggle(sluice, 'bench', false),
    )
    return { rows, told, relay: await measureRelay(sluice) }
  } finally {
    await sluice.stop()
    upstream.stop()
  }
}

type Api = { url: string; adminKey: string }

/** @throws Error unless the API answers 2xx */
export async function addServer({ url, adminKey }: Api, server: object): Promise<void> {
  await askApi(`${url}/api/mcp/servers`, 'POST', adminKey, { enabled: true, ...server })
}

async function toggle({ url, adminKey }: Api, name: string, enabled: boolean): Promise<void> {
  await askApi(`${url}/api/mcp/servers/${name}`, 'PATCH', adminKey, { enabled })
}

async function askApi(url: string, method: string, key: string, body: object): Promise<void> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const answer = await fetch(url, { method, headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`)
}

export async function startMcpUpstream(): Promise<{ url: string; port: number; pid: number; stop(): void }> {
  const child = Bun.spawn(['bun', join(import.meta.dir, 'upstream.ts')], { stdout: 'pipe' })
  const { promise, resolve } = Promise.withResolvers<number>()
  void eachLine(child.stdout, (line) => resolve(Number(line)))
  const port = await promise
  return { url: `http://127.0.0.1:${port}/mcp`, port, pid: child.pid, stop: () => child.kill('SIGKILL') }
}

async function runLoad(plan: McpPlan): Promise<McpLoad> {
  const child = Bun.spawn(['bun', join(import.meta.dir, 'load.ts'), JSON.stringify(plan)], {
    stdout: 'pipe',
  })
  return JSON.parse(await new Response(child.stdout).text()) as McpLoad
}

/** From the start of the process to the answer to `server/discover`, the best of five. */
async function measureRelay({ url, adminKey }: Api): Promise<{ startMs: number; rssMiB: number }> {
  const runs: { startMs: number; rssMiB: number }[] = []
  for (let run = 0; run < 5; run += 1) {
    const began = performance.now()
    const child = Bun.spawn(['bun', join(import.meta.dir, '../../../src/processes/relay.ts')], {
      env: { PATH: process.env.PATH ?? '', SLUICE_URL: url, SLUICE_KEY: adminKey },
      ...{ stdin: 'pipe', stdout: 'pipe' },
    })
    child.stdin.write('{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{}}\n')
    child.stdin.flush()
    await child.stdout.getReader().read()
    runs.push({ startMs: performance.now() - began, rssMiB: residentMiB(child.pid) })
    child.kill('SIGTERM')
    await child.exited
  }
  return runs.sort((a, b) => a.startMs - b.startMs)[0] ?? { startMs: 0, rssMiB: 0 }
}
