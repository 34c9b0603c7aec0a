import type postgres from 'postgres'
import { errorText } from '#lib/errors'
import { idTime } from '#lib/ids'
import type { RecordedExchange } from '../exchange.ts'
import { openContents } from '../storing/content.ts'
import { plainCache } from '../storing/plain-cache.ts'
import { bodyJson } from './body-json.ts'
import { decodedBytes } from './decode.ts'
import { withFacts } from './exchange-facts.ts'
import { conjunction, type ExchangeFilters, exchangeConditions, exchangesBy } from './exchange-filters.ts'
import { type BareExchangeRow, type ExchangeRow, exchangeColumns, exchangeItem } from './exchange-item.ts'
import type { ExportQuery, ExportRun, Line } from './export-query.ts'
import { oldestFirst } from './oldest-first.ts'
import { idRange } from './query.ts'
import { headerOf, type Side } from './raw.ts'

const rowsAtOnce = 200
const cacheBytes = 32 * 1024 * 1024
const decodedAtMost = 100 * 1024 * 1024

/** One line an exchange, by id, which is by start. */
export async function* exchangeLines(query: ExportQuery, run: ExportRun): AsyncGenerator<Line> {
  const cache = plainCache(cacheBytes)
  for await (const row of exchangeRows(query, run)) {
    const head = JSON.stringify({ type: 'exchange', ...exchangeItem(row) })
    if (!query.bodies || row.mode !== 'full') yield { id: row.id, pieces: [`${head}\n`] }
    else {
      const content = await contentOf(row.id, () => run.read((sql) => openContents(sql, cache).read(row.id)))
      yield { id: row.id, pieces: withContent(head, content, query.decoded) }
    }
  }
}

async function* exchangeRows(
  query: ExportQuery,
  { read, tenant, signal }: ExportRun,
): AsyncGenerator<ExchangeRow> {
  const filters: ExchangeFilters = { ...query, tenant }
  const since = await read((sql) => oldest(sql, query))
  if (since === null) return
  const windows = oldestFirst({ since, until: query.until ?? Date.now() })
  let after = query.after ?? null
  for (let window = windows.next(); !window.done; ) {
    const began = performance.now()
    for (;;) {
      if (signal.aborted) return
      const rows = await read((sql) => readRows(sql, { ...filters, ...window.value }, after))
      yield* rows
      after = rows.at(-1)?.id ?? after
      if (rows.length < rowsAtOnce) break
    }
    window = windows.next(performance.now() - began)
  }
}

/** Where to begin, in ms; null where nothing is there. */
async function oldest(sql: postgres.Sql, { after, since }: ExportQuery): Promise<number | null> {
  const { from } = idRange({ since })
  const [row] = await sql<{ id: string }[]>`
    select id from exchanges where true ${from === undefined ? sql`` : sql`and id >= ${from}`}
      ${after === undefined ? sql`` : sql`and id > ${after}`}
    order by id limit 1`
  return row === undefined ? null : idTime(row.id)
}

async function readRows(
  sql: postgres.Sql,
  filters: ExchangeFilters,
  after: string | null,
): Promise<ExchangeRow[]> {
  const where = conjunction(sql, [exchangeConditions(sql, filters), after !== null && sql`x.id > ${after}`])
  const rows = await sql<BareExchangeRow[]>`
    select ${exchangeColumns(sql)} from ${exchangesBy(sql, filters)} where ${where} order by x.id limit ${rowsAtOnce}`
  return await withFacts(sql, rows)
}

type Content = { recorded: RecordedExchange | null; error: string | null }

/** One damaged content must not end an export. */
async function contentOf(id: string, read: () => Promise<RecordedExchange | null>): Promise<Content> {
  try {
    const recorded = await read()
    return { recorded, error: recorded === null ? `the content of ${id} is not there` : null }
  } catch (error) {
    return { recorded: null, error: errorText(error) }
  }
}

async function* withContent(
  head: string,
  { recorded, error }: Content,
  decoded: boolean,
): AsyncGenerator<string> {
  if (recorded === null) {
    yield `${head.slice(0, -1)},"content_error":${JSON.stringify(error)}}\n`
    return
  }
  const headers = JSON.stringify({
    request_headers: recorded.open.request_headers,
    response_headers: recorded.end.response_headers,
  })
  yield `${head.slice(0, -1)},${headers.slice(1, -1)},"request":`
  yield* sideJson(recorded, 'request', decoded)
  yield ',"response":'
  yield* sideJson(recorded, 'response', decoded)
  yield '}\n'
}

async function* sideJson(recorded: RecordedExchange, side: Side, decoded: boolean): AsyncGenerator<string> {
  const encoding = headerOf(recorded, side, 'content-encoding')
  const plain =
    decoded && encoding !== null ? await decodedBytes(recorded[side], encoding, decodedAtMost) : null
  if (plain !== null) yield* bodyJson(plain.bytes, plain.whole ? {} : { truncated: true })
  else yield* bodyJson(recorded[side], encoding === null ? {} : { content_encoding: encoding })
}
