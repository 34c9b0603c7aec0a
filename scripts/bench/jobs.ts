import { auth } from './record.ts'
import { startRedis } from './redis.ts'
import { type RunningSluice, startSluice } from './sluice.ts'
import { startUpstream } from './targets.ts'

export type JobFigures = {
  engine: 'redis' | 'postgres'
  /** As fast as the gateway takes them, each with an idempotency key. */
  submittedPerSecond: number
  submittedP99Ms: number
  /** At half of what is aimed for. */
  halfRate: number
  halfP99Ms: number
  /** Proxied calls as jobs, from the first submission to the last end. */
  ranPerSecond: number
  /** From the submission to the start of the attempt, with nothing else to do. */
  pickUpP50Ms: number
  pickUpP99Ms: number
  errors: number
}

const aims = { redis: 1_500, postgres: 500 } as const
const connections = 32
const runs = 1_500
const pickUps = 100

/** Submits and runs jobs on both engines, the whole product, its load and its upstream on this machine. */
export async function measureJobs(seconds: number): Promise<JobFigures[]> {
  const results: JobFigures[] = []
  for (const engine of ['postgres', 'redis'] as const) {
    const redis = engine === 'redis' ? await startRedis() : null
    if (engine === 'redis' && redis === null) continue
    const upstream = await startUpstream()
    const env = { OPENAI_API_KEY: 'bench', ...(redis === null ? {} : { QUEUE_URL: redis.url }) }
    const sluice = await startSluice(`http://127.0.0.1:${upstream.port}`, env)
    try {
      results.push({ engine, ...(await measure(sluice, { seconds, rate: aims[engine] / 2 })) })
    } finally {
      await sluice.stop()
      await upstream.stop()
      await redis?.stop()
    }
  }
  return results
}

async function measure(
  sluice: RunningSluice,
  { seconds, rate }: { seconds: number; rate: number },
): Promise<Omit<JobFigures, 'engine'>> {
  await submitted(sluice, { until: atOnce(200), delay: 86_400 })
  const began = performance.now()
  const full = await submitted(sluice, { until: forSeconds(seconds), delay: 86_400 })
  const submittedPerSecond = (full.tookMs.length * 1_000) / (performance.now() - began)
  const half = await submitted(sluice, { until: forSeconds(seconds), delay: 86_400, rate })

  const start = performance.now()
  const ran = await submitted(sluice, { until: atOnce(runs), tag: 'run' })
  await ended(sluice, 'run')
  const ranPerSecond = (runs * 1_000) / (performance.now() - start)

  const waits: number[] = []
  for (let n = 0; n < pickUps; n++) {
    await submitted(sluice, { until: atOnce(1), tag: `pick-up-${n}` })
    await ended(sluice, `pick-up-${n}`)
    waits.push(await waitOf(sluice, `pick-up-${n}`))
  }
  return {
    ...{ submittedPerSecond, submittedP99Ms: percentile(full.tookMs, 0.99) },
    ...{ halfRate: rate, halfP99Ms: percentile(half.tookMs, 0.99), ranPerSecond },
    ...{ pickUpP50Ms: percentile(waits, 0.5), pickUpP99Ms: percentile(waits, 0.99) },
    errors: full.errors + half.errors + ran.errors,
  }
}

type Plan = {
  /** Goes on while it says so; told how many were begun. */
  until: (begun: number) => boolean
  delay?: number
  tag?: string
  /** A second, in all. @default as fast as they are answered */
  rate?: number
}

const forSeconds = (seconds: number) => {
  const end = performance.now() + seconds * 1_000
  return () => performance.now() < end
}
const atOnce = (count: number) => (begun: number) => begun < count

/** Times include what a request waited for its turn, where there is a rate. */
async function submitted(sluice: RunningSluice, { until, delay = 0, tag = 'bench', rate }: Plan) {
  const tookMs: number[] = []
  const began = performance.now()
  let begun = 0
  let errors = 0
  const client = async () => {
    while (until(begun)) {
      const number = begun++
      const due = rate === undefined ? performance.now() : began + (number * 1_000) / rate
      if (due > performance.now()) await Bun.sleep(due - performance.now())
      const answer = await fetch(`${sluice.url}/api/jobs`, {
        method: 'POST',
        headers: { ...auth(sluice), 'idempotency-key': `${began}-${number}` },
        body: JSON.stringify({ kind: 'http-request', input: inputOf(number), delay, tags: [tag] }),
      })
      await answer.arrayBuffer()
      if (answer.status !== 202) errors++
      tookMs.push(performance.now() - due)
    }
  }
  await Promise.all(Array.from({ length: connections }, client))
  return { tookMs, errors }
}

function inputOf(number: number) {
  const messages = [{ role: 'user', content: `What is the square of ${number}?` }]
  return { path: '/v1/chat/completions', body: { model: 'bench', messages } }
}

async function ended(sluice: RunningSluice, tag: string): Promise<void> {
  const query = `tag=${tag}&state=queued,admitted,running,scheduled&limit=1`
  for (const deadline = Date.now() + 120_000; Date.now() < deadline; await Bun.sleep(20)) {
    if ((await list(sluice, query)).length === 0) return
  }
  throw new Error(`jobs ${tag}: not all have ended after 120 s`)
}

async function waitOf(sluice: RunningSluice, tag: string): Promise<number> {
  const [job] = await list(sluice, `tag=${tag}&limit=1`)
  const answer = await fetch(`${sluice.url}/api/jobs/${job?.id}`, { headers: auth(sluice) })
  const { history } = (await answer.json()) as { history: { wait_ms: number }[] }
  return history[0]?.wait_ms ?? Number.NaN
}

async function list(sluice: RunningSluice, query: string): Promise<{ id: string }[]> {
  const answer = await fetch(`${sluice.url}/api/jobs?${query}`, { headers: auth(sluice) })
  return ((await answer.json()) as { items: { id: string }[] }).items
}

function percentile(values: number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length * part)] ?? Number.NaN
}
