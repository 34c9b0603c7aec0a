import type { Outcome, SpoolLedger } from '#capture'
import type { Metrics } from '#lib/metrics'

/** What is counted of an exchange when it has ended. Times in ms since the epoch. */
export type EndedExchange = {
  provider: string | null
  outcome: Outcome
  startedAt: number
  /** Null where no byte of an answer went out. */
  firstByteAt: number | null
  endedAt: number
}

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300]

/** To be called once an exchange: counts it, 0.3 µs. */
export function exchangeMetrics(metrics: Metrics): (ended: EndedExchange) => void {
  const count = metrics.counter('sluice_exchanges_total', 'Exchanges ended.', ['provider', 'outcome'])
  const duration = metrics.histogram(
    'sluice_exchange_seconds',
    'From the request to the end of the answer.',
    {
      labels: ['provider'],
      buckets: seconds,
    },
  )
  const firstByte = metrics.histogram(
    'sluice_first_byte_seconds',
    'From the request to the first byte out.',
    {
      labels: ['provider'],
      buckets: seconds,
    },
  )
  return ({ provider, outcome, startedAt, firstByteAt, endedAt }) => {
    const name = provider ?? 'none'
    count.add([name, outcome])
    duration.observe([name], (endedAt - startedAt) / 1000)
    if (firstByteAt !== null) firstByte.observe([name], (firstByteAt - startedAt) / 1000)
  }
}

const places = ['stored', 'spooled', 'queued', 'quarantined', 'dropped'] as const

/** The ledger of this gateway's spool: `accepted` is the sum of the places. */
export function spoolMetrics(metrics: Metrics, ledger: () => SpoolLedger): void {
  metrics.total('sluice_spool_accepted_total', 'Exchanges sealed.', ['spool'], () => {
    const { spool, accepted } = ledger()
    return [{ labels: [spool], value: accepted }]
  })
  metrics.gauge('sluice_spool_exchanges', 'Sealed exchanges, by where they are.', ['spool', 'state'], () => {
    const now = ledger()
    return places.map((place) => ({ labels: [now.spool, place], value: now[place] }))
  })
  metrics.gauge('sluice_spool_open', 'Exchanges begun and not sealed yet.', ['spool'], () => {
    const { spool, open } = ledger()
    return [{ labels: [spool], value: open }]
  })
  metrics.gauge(
    'sluice_spool_bytes',
    'Bytes of the spool on disk, and their bound.',
    ['spool', 'what'],
    () => {
      const { spool, bytes, max_bytes } = ledger()
      return [
        { labels: [spool, 'used'], value: bytes },
        { labels: [spool, 'max'], value: max_bytes },
      ]
    },
  )
}
