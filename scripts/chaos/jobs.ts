import { auth } from '../bench/record.ts'
import type { RunningSluice } from '../bench/sluice.ts'
import type { World } from './world.ts'

/** Somebody who submits jobs and does not give up: what is not answered 202 is sent again with the same key. */
export type Submitters = {
  /** The id that each key was answered with. */
  accepted: Map<string, string>
  /** Answers that were neither 202 nor to be tried again. */
  wrong(): number
  stop(): Promise<void>
}

const againMs = 100
/** Answered late, so that things are killed while they run. */
const path = '/v1/chat/completions'

export function startSubmitters(world: World, count: number): Submitters {
  const accepted = new Map<string, string>()
  let wrong = 0
  let stopping = false
  let next = 0
  const run = async () => {
    while (!stopping) {
      const key = `chaos-${next++}`
      for (;;) {
        const answer = await submit(world.sluice(), key).catch(() => null)
        if (answer?.status === 202) {
          accepted.set(key, ((await answer.json()) as { id: string }).id)
          break
        }
        const status = answer?.status ?? 0
        await answer?.body?.cancel()
        if (status !== 0 && status !== 409 && status < 500) {
          wrong++
          break
        }
        await Bun.sleep(againMs)
      }
      await Bun.sleep(10)
    }
  }
  const running = Promise.all(Array.from({ length: count }, run))
  return {
    accepted,
    wrong: () => wrong,
    async stop() {
      stopping = true
      await running
    },
  }
}

async function submit(sluice: RunningSluice, key: string): Promise<Response> {
  const input = {
    ...{ path, headers: { 'x-chaos-number': key } },
    body: { model: 'chaos', stream: true, messages: [{ role: 'user', content: key }] },
  }
  const how = { attempts: 50, backoff: { ms: 100, max_ms: 1_000 }, tags: ['chaos'] }
  return await fetch(`${sluice.url}/api/jobs`, {
    method: 'POST',
    headers: { ...auth(sluice), 'idempotency-key': key },
    body: JSON.stringify({ kind: 'http-request', input, ...how }),
    signal: AbortSignal.timeout(5_000),
  })
}

export type StoredJob = { id: string; state: string; attempt: number; error: string | null }

/** All jobs of the run, once none of them is left to end. @throws Error after two minutes */
export async function endedJobs(sluice: RunningSluice): Promise<StoredJob[]> {
  const open = 'state=waiting,scheduled,queued,admitted,running'
  for (const deadline = Date.now() + 120_000; ; await Bun.sleep(100)) {
    const left = await list(sluice, `tag=chaos&${open}&limit=1`).catch(() => null)
    if (left?.items.length === 0) break
    if (Date.now() > deadline) throw new Error(`after 120 s a job is ${JSON.stringify(left?.items[0])}`)
  }
  const jobs: StoredJob[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page: Page = await list(sluice, `tag=chaos&limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`)
    jobs.push(...page.items)
    cursor = page.next_cursor
  }
  return jobs
}

/** How many ends of success the history of a job has: one, however often it began. */
export async function successes(sluice: RunningSluice, id: string): Promise<number> {
  const answer = await fetch(`${sluice.url}/api/jobs/${id}`, { headers: auth(sluice) })
  const { history } = (await answer.json()) as { history: { outcome: string }[] }
  return history.filter(({ outcome }) => outcome === 'succeeded').length
}

type Page = { items: StoredJob[]; next_cursor: string | null }

async function list(sluice: RunningSluice, query: string): Promise<Page> {
  const answer = await fetch(`${sluice.url}/api/jobs?${query}`, { headers: auth(sluice) })
  if (!answer.ok) throw new Error(`GET /api/jobs?${query}: ${answer.status}`)
  return (await answer.json()) as Page
}
