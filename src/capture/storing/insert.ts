import type { Sql, TransactionSql } from 'postgres'
import { cleanText } from '#lib/errors'

/** A pool or a transaction on it. */
export type Db = Sql | TransactionSql

/** One column of a bulk insert. */
export type Column<Row> = {
  name: string
  kind: Kind
  /** Of many KB: a parameter for each value, as the parser of arrays takes 8 µs for a KB of text. */
  wide?: true
  value: (row: Row) => string | number | boolean | Uint8Array | readonly string[] | null
}

/** How a value travels in an array parameter, and what makes it the column's value there. */
const kinds = {
  uuid: { array: 'uuid', made: (name: string) => name },
  text: { array: 'text', made: (name: string) => name },
  number: { array: 'int8', made: (name: string) => name },
  flag: { array: 'bool', made: (name: string) => name },
  /** ms since the epoch, with fractions */
  time: { array: 'float8', made: (name: string) => `to_timestamp(${name} / 1000)` },
  texts: { array: 'text', made: (name: string) => `${name}::text[]` },
  json: { array: 'text', made: (name: string) => `${name}::jsonb` },
  uuids: { array: 'text', made: (name: string) => `${name}::uuid[]` },
  /** base64 on the wire: a third shorter than hex */
  bytes: { array: 'text', made: (name: string) => `decode(${name}, 'base64')` },
  tsvector: { array: 'text', made: (name: string) => `${name}::tsvector` },
} as const
type Kind = keyof typeof kinds

/** Rows in a statement with wide columns; fewer go in powers of two, so that few statements are prepared. */
const mostWideRows = 64

/**
 * Inserts all rows, with one array parameter a column: no limit of 65,534 parameters, and one prepared statement
 * for any number of rows. COPY would save a copy of the bytes, but the driver never returns from a COPY that fails
 * after its last byte.
 */
export async function insertRows<Row>(
  db: Db,
  table: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  rest = '',
): Promise<void> {
  const names = columns.map((column) => column.name).join(', ')
  const made = columns.map((column) => kinds[column.kind].made(column.name)).join(', ')
  const wide = columns.some((column) => column.wide)
  const inserts = groups(rows, wide ? mostWideRows : rows.length).map((group) => {
    const { source, parameters } = unnest(columns, group)
    return db.unsafe(`insert into ${table} (${names}) select ${made} from ${source} ${rest}`, parameters, {
      prepare: true,
    })
  })
  await Promise.all(inserts)
}

/** `update <table> set <set> from unnest(…) as new (…) where <where>`. */
export async function updateRows<Row>(
  db: Db,
  table: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { set, where }: { set: string; where: string },
): Promise<void> {
  if (rows.length === 0) return
  const made = columns.map((column) => `${kinds[column.kind].made(column.name)} as ${column.name}`).join(', ')
  const { source, parameters } = unnest(columns, rows)
  const statement = `update ${table} set ${set} from (select ${made} from ${source}) as new where ${where}`
  await db.unsafe(statement, parameters, { prepare: true })
}

/** All rows at once, or in powers of two up to `most`. */
function groups<Row>(rows: readonly Row[], most: number): (readonly Row[])[] {
  if (rows.length === 0) return []
  if (rows.length === most) return [rows]
  const size = Math.min(most, 2 ** Math.floor(Math.log2(rows.length)))
  return [rows.slice(0, size), ...groups(rows.slice(size), most)]
}

function unnest<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): { source: string; parameters: (string | null)[] } {
  const parameters: (string | null)[] = []
  const arrays = columns.map((column) => {
    const type = kinds[column.kind].array
    if (column.wide) {
      const places = rows.map((row) => `$${parameters.push(wideValue(column.value(row)))}`)
      return `array[${places.join(',')}]::${type}[]`
    }
    return `$${parameters.push(arrayLiteral(rows, column))}::${type}[]`
  })
  const names = columns.map((column) => column.name).join(', ')
  return { source: `unnest(${arrays.join(', ')}) as row (${names})`, parameters }
}

function wideValue(value: ReturnType<Column<never>['value']>): string | null {
  if (value instanceof Uint8Array) return base64(value)
  return value === null ? null : special.test(String(value)) ? cleanText(String(value)) : String(value)
}

function arrayLiteral<Row>(rows: readonly Row[], { value }: Column<Row>): string {
  return `{${rows.map((row) => element(value(row))).join(',')}}`
}

function element(value: ReturnType<Column<never>['value']>): string {
  if (value === null) return 'NULL'
  if (typeof value === 'string') return quoted(value)
  if (value instanceof Uint8Array) return `"${base64(value)}"`
  if (typeof value === 'object') return quoted(`{${value.map(quoted).join(',')}}`)
  return String(value)
}

/** One look at most texts, which need nothing done. */
const special = /[\\"\0\ud800-\udfff]/

function quoted(text: string): string {
  return special.test(text) ? `"${cleanText(text).replace(/[\\"]/g, '\\$&')}"` : `"${text}"`
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
