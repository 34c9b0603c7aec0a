import { join } from 'node:path'
import type { LoadPlan, LoadResult } from './load.ts'
import { cpuSeconds, residentMiB } from './process-cost.ts'
import type { Target } from './targets.ts'

/** A load, the same for every target. */
export type Workload = {
  name: string
  what: string
  plan: Omit<LoadPlan, 'port' | 'path' | 'headers'> & { headers?: Record<string, string> }
}

export type Measured = LoadResult & {
  target: string
  workload: string
  perSecond: number
  /** CPU of the process in the path, in µs a request. */
  cpuUs: number
  rssMiB: number
}

export function proxyWorkloads(seconds: number): Workload[] {
  return [
    {
      name: 'small',
      what: 'small JSON, 32 connections',
      plan: { connections: 32, seconds, bodyBytes: 400 },
    },
    {
      name: 'latency',
      what: 'small JSON, 1 connection',
      plan: { connections: 1, seconds: Math.min(seconds, 5), bodyBytes: 400 },
    },
    {
      name: 'agent',
      what: '75 KB agent turn, 4 KB answer, 16 connections',
      plan: { connections: 16, seconds, bodyBytes: 75_000, headers: { 'x-bench-bytes': '4000' } },
    },
    {
      name: 'sse',
      what: 'SSE, 200 frames an answer, 16 connections',
      plan: { connections: 16, seconds, bodyBytes: 400, frames: true, headers: { 'x-bench-frames': '200' } },
    },
    {
      name: 'streams',
      what: '1,000 streams at once, 20 frames/s each',
      plan: {
        ...{ connections: 1_000, seconds: 60, rounds: 1, bodyBytes: 400, frames: true },
        headers: { 'x-bench-frames': String(20 * seconds), 'x-bench-frame-ms': '50' },
      },
    },
    {
      name: 'large',
      what: '10 MB up, 10 MB down, 2 connections',
      plan: { connections: 2, seconds, bodyBytes: 10_000_000, headers: { 'x-bench-bytes': '10000000' } },
    },
  ]
}

/** Runs one workload against one target, after a short warm-up. */
export async function measure(workload: Workload, target: Target): Promise<Measured> {
  const plan: LoadPlan = {
    ...workload.plan,
    ...{ port: target.port, path: target.path },
    headers: { ...workload.plan.headers, ...target.headers },
  }
  const warmUp = {
    ...plan,
    connections: Math.min(plan.connections, 32),
    rounds: Math.min(plan.rounds ?? 200, 200),
  }
  if (plan.rounds === undefined) await load({ ...warmUp, seconds: 1.5 })
  const before = cpuSeconds(target.pid)
  const sampler = peakSampler(target.pid)
  const result = await load(plan)
  const cpu = cpuSeconds(target.pid) - before
  return {
    ...result,
    ...{ target: target.name, workload: workload.name },
    perSecond: result.requests / result.seconds,
    cpuUs: result.requests === 0 ? 0 : (cpu * 1e6) / result.requests,
    rssMiB: sampler.stop(),
  }
}

export async function load(plan: LoadPlan): Promise<LoadResult> {
  const child = Bun.spawn(['bun', join(import.meta.dir, 'load.ts'), JSON.stringify(plan)], {
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const output = await new Response(child.stdout).text()
  if ((await child.exited) !== 0) throw new Error(`load: exit code ${child.exitCode}`)
  return JSON.parse(output) as LoadResult
}

/** The highest of one reading every 200 ms. */
function peakSampler(pid: number): { stop(): number } {
  let peak = residentMiB(pid)
  const timer = setInterval(() => {
    peak = Math.max(peak, residentMiB(pid))
  }, 200)
  return {
    stop() {
      clearInterval(timer)
      return peak
    },
  }
}
