import { isoTime } from '#lib/clock'
import { SluiceError } from '#lib/errors'
import type { SpoolLedger } from '../recording.ts'
import type { ReadSql } from './messages.ts'

type Counts = Pick<SpoolLedger, (typeof counts)[number]>

const counts = [
  'accepted',
  'stored',
  'spooled',
  'queued',
  'quarantined',
  'dropped',
  'open',
  'bytes',
  'max_bytes',
] as const

type SpoolRow = Counts & {
  spool: string
  reported_at: number | null
  committed: number
  committed_quarantined: number
}

/**
 * Where every accepted exchange is, by spool and in total. This gateway's own spools are shown as they are now, the
 * others as they last reported. `whole` is false while the database cannot be asked for the others.
 */
export async function showLedger(read: ReadSql, own: readonly SpoolLedger[]) {
  const rows = await read((sql) => {
    return sql<SpoolRow[]>`
      select id as spool, extract(epoch from reported_at)::float8 * 1000 as reported_at, accepted, stored, spooled,
        queued, quarantined, dropped, open, bytes, max_bytes, committed, committed_quarantined
      from spools order by id`
  }).catch(ifDatabaseDown)
  const spools = new Map((rows ?? []).map((row) => [row.spool, spoolItem(row)]))
  for (const live of own) spools.set(live.spool, liveItem(live, spools.get(live.spool)))
  const items = [...spools.values()].sort((a, b) => (a.spool < b.spool ? -1 : 1))
  const total = Object.fromEntries(
    counts.map((name) => [name, items.reduce((sum, item) => sum + item[name], 0)]),
  ) as Counts
  return {
    items,
    next_cursor: null,
    total: { ...total, adds_up: items.every((item) => item.adds_up) && addsUp(total) },
    whole: rows !== null,
  }
}

function spoolItem(row: SpoolRow) {
  const { reported_at: at, ...item } = row
  return { ...item, reported_at: at === null ? null : isoTime(at), live: false, adds_up: addsUp(row) }
}

function liveItem(live: SpoolLedger, stored: ReturnType<typeof spoolItem> | undefined) {
  return {
    ...live,
    committed: stored?.committed ?? 0,
    committed_quarantined: stored?.committed_quarantined ?? 0,
    reported_at: isoTime(Date.now()),
    live: true,
    adds_up: addsUp(live),
  }
}

function addsUp(ledger: Counts): boolean {
  const { accepted, stored, spooled, queued, quarantined, dropped } = ledger
  return accepted === stored + spooled + queued + quarantined + dropped
}

function ifDatabaseDown(error: unknown): null {
  if (error instanceof SluiceError && error.status === 503) return null
  throw error
}
