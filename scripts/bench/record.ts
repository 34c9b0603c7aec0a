import { chatRequest } from './payloads.ts'
import { cpuSeconds } from './process-cost.ts'
import { type RunningSluice, startSluice } from './sluice.ts'
import { startUpstream } from './targets.ts'
import { load } from './workloads.ts'

export type RecordFigures = {
  /** Sustained: sent at this rate, and all of it stored while it was sent. */
  offeredPerSecond: number
  storedPerSecond: number
  visibleP50Ms: number
  visibleP99Ms: number
  /** As fast as the gateway takes it: how long until the last one was stored. */
  burst: { exchanges: number; seconds: number; storedPerSecond: number }
  workerCpuUs: number
}

/** Measures the way into Postgres: exchanges of 8 KB, sent at a fixed rate, then as fast as possible. */
export async function measureRecord(seconds: number, rate = 2_000): Promise<RecordFigures> {
  const upstream = await startUpstream()
  const sluice = await startSluice(`http://127.0.0.1:${upstream.port}`)
  try {
    const plan = {
      ...{
        port: sluice.port,
        path: '/v1/chat/completions',
        connections: 32,
        seconds,
        bodyBytes: 4_000,
        conversations: true,
      },
      headers: { authorization: 'Bearer bench', 'x-bench-bytes': '4000' },
    }
    await load({ ...plan, seconds: 1 })
    await allStored(sluice)
    const cpuBefore = workersCpu(sluice)
    const storedBefore = await stored(sluice)
    const visible = sampleVisibility(sluice, seconds)
    const sent = await load({ ...plan, rate })
    const storedPerSecond = ((await stored(sluice)) - storedBefore) / sent.seconds
    const delays = (await visible).sort((a, b) => a - b)
    await allStored(sluice)
    const workerCpuUs = ((workersCpu(sluice) - cpuBefore) * 1e6) / sent.requests

    const began = performance.now()
    const burst = await load(plan)
    await allStored(sluice)
    const drained = (performance.now() - began) / 1000
    return {
      offeredPerSecond: sent.requests / sent.seconds,
      ...{ storedPerSecond, workerCpuUs },
      visibleP50Ms: delays[Math.floor(delays.length / 2)] ?? 0,
      visibleP99Ms: delays[Math.floor(delays.length * 0.99)] ?? 0,
      burst: { exchanges: burst.requests, seconds: drained, storedPerSecond: burst.requests / drained },
    }
  } finally {
    await sluice.stop()
    await upstream.stop()
  }
}

function workersCpu(sluice: RunningSluice): number {
  return sluice.workerPids.reduce((sum, pid) => sum + cpuSeconds(pid), 0)
}

type Ledger = { total: { accepted: number; stored: number; quarantined: number; dropped: number } }

async function ledger(sluice: RunningSluice): Promise<Ledger['total']> {
  const answer = await fetch(`${sluice.url}/api/ledger`, { headers: auth(sluice) })
  return ((await answer.json()) as Ledger).total
}

async function stored(sluice: RunningSluice): Promise<number> {
  return (await ledger(sluice)).stored
}

/** Waits until nothing is under way. @throws Error after two minutes, with the ledger as it stands */
export async function allStored(sluice: RunningSluice): Promise<void> {
  for (const deadline = Date.now() + 120_000; ; await Bun.sleep(50)) {
    const now = await ledger(sluice)
    if (now.accepted === now.stored + now.quarantined + now.dropped) return
    if (Date.now() > deadline) throw new Error(`not stored after 120 s: ${JSON.stringify(now)}`)
  }
}

/** Ten times a second: sends one exchange and measures until the API shows it. */
async function sampleVisibility(sluice: RunningSluice, seconds: number): Promise<number[]> {
  const sent: Sent[] = []
  const sending = new AbortController()
  const watching = watch(sluice, sent, sending.signal)
  const body = chatRequest(4_000, 99)
  for (let n = 0; n < seconds * 10; n++) {
    const answer = await fetch(`${sluice.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer bench', 'content-type': 'application/json' },
      body,
    })
    await answer.arrayBuffer()
    sent.push({ id: answer.headers.get('sluice-exchange') ?? '', since: performance.now() })
    await Bun.sleep(100)
  }
  sending.abort()
  return await watching
}

type Sent = { id: string; since: number }

/**
 * Asks for the oldest that is not there yet, every 20 ms, until nothing more is sent: to ask for each of them would be
 * a load of its own.
 */
async function watch(sluice: RunningSluice, sent: Sent[], noMore: AbortSignal): Promise<number[]> {
  const delays: number[] = []
  for (const deadline = Date.now() + 120_000; Date.now() < deadline; ) {
    const [oldest] = sent
    if (oldest === undefined && noMore.aborted) break
    if (oldest !== undefined && (await isVisible(sluice, oldest.id))) {
      sent.shift()
      delays.push(performance.now() - oldest.since)
    } else await Bun.sleep(20)
  }
  return delays
}

async function isVisible(sluice: RunningSluice, id: string): Promise<boolean> {
  const answer = await fetch(`${sluice.url}/api/exchanges/${id}`, { headers: auth(sluice) })
  await answer.arrayBuffer()
  return answer.ok
}

export function auth(sluice: RunningSluice): Record<string, string> {
  return { authorization: `Bearer ${sluice.adminKey}` }
}
