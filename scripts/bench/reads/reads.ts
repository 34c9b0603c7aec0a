import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate, openStore, startEmbedded } from '#store'
import { auth } from '../record.ts'
import { type RunningSluice, startSluice } from '../sluice.ts'
import { startUpstream } from '../targets.ts'
import { type Ask, asksOf } from './asks.ts'
import { type BesideFigures, measureBeside } from './beside.ts'
import { fill } from './fill.ts'

export type ReadFigures = {
  rows: number
  /** All tables and indexes of the record, in bytes. */
  bytes: number
  reads: ReadFigure[]
  beside: BesideFigures
}

export type ReadFigure = {
  name: string
  times: number
  /** The first answer, which may have come from the disk. */
  firstMs: number
  p50Ms: number
  p99Ms: number
  /** Of the first answer; null where it is no list. */
  items: number | null
  /** The first page was not full, and had a cursor: the reading stopped at its time budget. */
  stopped: boolean
  errors: number
}

export type ReadsOptions = {
  rows: number
  /** A directory that is filled once and kept. @default one that is deleted */
  data?: string | undefined
}

const mostMs = 400
const mostTimes = 40

/** Asks for everything that there is to read, over HTTP, of a record of so many exchanges: one at a time. */
export async function measureReads({ rows, data }: ReadsOptions): Promise<ReadFigures> {
  const dir = data ?? mkdtempSync(join(tmpdir(), 'sluice-reads-'))
  const fresh = !existsSync(join(dir, 'postgres'))
  const database = await startEmbedded({ dir, onLine: console.error })
  try {
    await migrate(database.url)
    if (fresh) await fill(database.url, rows)
    const upstream = await startUpstream()
    const env = { DATABASE_URL: database.url, CLASSIFY: 'off' }
    const sluice = await startSluice(`http://127.0.0.1:${upstream.port}`, env)
    try {
      const size = await sizeOf(database.url)
      const asks = await asksOf(sluice)
      const beside = await measureBeside(sluice, asks)
      const reads: ReadFigure[] = []
      for (const ask of asks) {
        console.error(ask.name)
        reads.push(await measure(sluice, ask))
      }
      return { ...size, reads, beside }
    } finally {
      await sluice.stop()
      await upstream.stop()
    }
  } finally {
    await database.stop(60_000)
    if (data === undefined) rmSync(dir, { recursive: true, force: true })
  }
}

async function measure(sluice: RunningSluice, { name, paths }: Ask): Promise<ReadFigure> {
  const took: number[] = []
  let errors = 0
  let first: { items?: unknown[]; next_cursor?: string | null } = {}
  const end = performance.now() + mostMs
  while (took.length < 3 || (took.length < mostTimes && performance.now() < end)) {
    const began = performance.now()
    const answer = await fetch(`${sluice.url}${paths[took.length % paths.length]}`, { headers: auth(sluice) })
    const body = (await answer.json()) as typeof first
    took.push(performance.now() - began)
    if (!answer.ok) errors++
    if (took.length === 1) first = body
  }
  const sorted = took.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
  const stopped = (first.next_cursor ?? null) !== null && (first.items?.length ?? 0) < 20
  return {
    ...{ name, times: took.length, firstMs: took[0] ?? 0, p50Ms: at(0.5), p99Ms: at(0.99) },
    ...{ items: first.items?.length ?? null, stopped, errors },
  }
}

async function sizeOf(url: string): Promise<{ rows: number; bytes: number }> {
  const { sql, close } = openStore(url, { max: 1 })
  try {
    const [row] = await sql<{ rows: number; bytes: number }[]>`
      select (select count(*) from exchanges) as rows, sum(pg_total_relation_size(c.oid))::bigint as bytes
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'public' and c.relkind = 'r'`
    return row ?? { rows: 0, bytes: 0 }
  } finally {
    await close()
  }
}
