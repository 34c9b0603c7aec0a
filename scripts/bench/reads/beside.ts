import { auth } from '../record.ts'
import type { RunningSluice } from '../sluice.ts'
import { load } from '../workloads.ts'
import type { Ask } from './asks.ts'

/** Calls through the proxy at a steady pace, with nothing else and while the record is read. */
export type BesideFigures = {
  perSecond: number
  alone: { p50Ms: number; p99Ms: number }
  beside: { p50Ms: number; p99Ms: number }
  /** What was read meanwhile, a second. */
  readsPerSecond: number
  errors: number
}

const perSecond = 300
const seconds = 8
const readers = 2

/** @param asks what two readers ask for, one after another without a pause */
export async function measureBeside(sluice: RunningSluice, asks: readonly Ask[]): Promise<BesideFigures> {
  const plan = {
    ...{ port: sluice.port, path: '/v1/chat/completions', connections: 32, bodyBytes: 400 },
    ...{ headers: { authorization: 'Bearer bench' }, rate: perSecond },
  }
  await load({ ...plan, seconds: 2 })
  const alone = await load({ ...plan, seconds })
  const paths = asks.flatMap((ask) => ask.paths)
  let reads = 0
  let isOver = false
  const reading = Array.from({ length: readers }, async (_, reader) => {
    for (let n = reader; !isOver; n += readers) {
      const answer = await fetch(`${sluice.url}${paths[n % paths.length]}`, { headers: auth(sluice) })
      await answer.arrayBuffer()
      reads++
    }
  })
  const beside = await load({ ...plan, seconds })
  isOver = true
  await Promise.all(reading)
  return {
    ...{ perSecond, readsPerSecond: reads / seconds, errors: alone.errors + beside.errors },
    alone: { p50Ms: alone.p50Ms, p99Ms: alone.p99Ms },
    beside: { p50Ms: beside.p50Ms, p99Ms: beside.p99Ms },
  }
}
