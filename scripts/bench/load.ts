/**
 * The load, alone in its process: `bun load.ts '<json>'` prints one line of JSON with what it saw.
 */
import { connect, prepare } from './http-client.ts'
import { chatRequest } from './payloads.ts'

export type LoadPlan = {
  port: number
  path: string
  headers: Record<string, string>
  connections: number
  /** Ends by time … */
  seconds: number
  /** … or after that many requests a connection, whichever comes first. @default no limit */
  rounds?: number
  /** Requests a second over all connections; as fast as possible where it is absent. */
  rate?: number
  bodyBytes: number
  /** Each connection is a conversation of its own, and says something new each time. @default false */
  conversations?: boolean
  /** Frames carry the time they were sent: measure how late each one arrives. @default false */
  frames?: boolean
}

export type LoadResult = {
  requests: number
  errors: number
  seconds: number
  p50Ms: number
  p99Ms: number
  bytes: number
  frames: number
  framesP50Ms: number
  framesP99Ms: number
}

const encoder = new TextEncoder()

if (import.meta.main) console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '{}') as LoadPlan)))

async function run(plan: LoadPlan): Promise<LoadResult> {
  const latencies: number[] = []
  const delays: number[] = []
  let errors = 0
  let bytes = 0
  let started = 0
  const begin = performance.now()
  const end = begin + plan.seconds * 1000
  const onFrame = plan.frames === true ? frameMeter(delays) : undefined

  await Promise.all(Array.from({ length: plan.connections }, (_, number) => loop(number)))
  const seconds = (performance.now() - begin) / 1000
  return {
    ...{ requests: latencies.length, errors, seconds, bytes },
    ...{ p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99) },
    frames: delays.length,
    ...{ framesP50Ms: quantile(delays, 0.5), framesP99Ms: quantile(delays, 0.99) },
  }

  async function loop(number: number): Promise<void> {
    const request = requestOf(plan, number)
    let connection = await connect('127.0.0.1', plan.port)
    for (let round = 0; round < (plan.rounds ?? Infinity) && performance.now() < end; round++) {
      started++
      if (plan.rate !== undefined) await paced(plan.rate)
      if (plan.conversations === true)
        request.set(encoder.encode(String(started).padStart(12, '0')), request.length - 16)
      try {
        const answer = await connection.send(request, onFrame?.())
        if (answer.status !== 200) errors++
        else latencies.push(answer.ms)
        bytes += answer.bytes
      } catch {
        errors++
        connection = await connect('127.0.0.1', plan.port)
      }
    }
    connection.close()
  }

  async function paced(rate: number): Promise<void> {
    const due = begin + (started * 1000) / rate
    const wait = due - performance.now()
    if (wait > 0) await Bun.sleep(wait)
  }
}

/** The last words of the body are twelve digits, to be overwritten. */
function requestOf(plan: LoadPlan, number: number): Uint8Array {
  const host = `127.0.0.1:${plan.port}`
  const own = plan.conversations === true ? { 'sluice-conversation': `bench-${process.pid}-${number}` } : {}
  const body = chatRequest(plan.bodyBytes).replace(/.{12}("\}\]\})$/, '000000000000$1')
  return prepare(plan.path, host, { ...plan.headers, ...own }, body)
}

/** One parser a response: frames may be split over chunks. */
function frameMeter(delays: number[]): () => (chunk: Uint8Array) => void {
  return () => {
    let rest = ''
    return (chunk) => {
      const now = performance.timeOrigin + performance.now()
      rest += Buffer.from(chunk).toString('latin1')
      let from = 0
      for (let at = rest.indexOf('"sent":'); at !== -1; at = rest.indexOf('"sent":', from)) {
        const stop = rest.indexOf(',', at)
        if (stop === -1) break
        delays.push(now - Number(rest.slice(at + 7, stop)))
        from = stop
      }
      rest = rest.slice(from).slice(-400)
    }
  }
}

function quantile(values: number[], q: number): number {
  if (values.length === 0) return 0
  values.sort((a, b) => a - b)
  return values[Math.min(values.length - 1, Math.floor(values.length * q))] ?? 0
}
