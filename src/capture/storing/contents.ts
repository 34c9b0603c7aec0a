import type { TransactionSql } from 'postgres'
import { type Base, baseName, deepest } from './bases.ts'
import { codecs } from './chain.ts'
import { compressWith } from './dictionary.ts'
import { writeHead } from './head.ts'
import { type Column, insertRows } from './insert.ts'
import type { Item } from './item.ts'
import type { PlainCache } from './plain-cache.ts'
import { slices } from './slices.ts'

/** What a worker remembers between batches, so that it need not read what it has just written. */
export type ContentMemory = {
  cache: PlainCache
  /** By family, a content that a conversation's first exchange is built upon. */
  roots: Map<string, Omit<Base, 'plain'>>
  /** How many erasures there were when it was last looked at. */
  erasures?: number
}

type ContentRow = {
  id: string
  base: string | null
  depth: number
  codec: number
  head: number
  request: number
  response: number
  data: Uint8Array
}

const mostRoots = 2000
/** A root that saves less than this is no longer what its family looks like. */
const poorRatio = 0.3

/**
 * Stores the bytes of these items, in their order, each built upon the nearest content that looks like it.
 * @returns what to remember once the transaction is committed, and not before
 */
export async function storeContents(
  tx: TransactionSql,
  items: readonly Item[],
  options: {
    memory: ContentMemory
    conversationOf: (item: Item) => string | null
    mayBuild: (day: number) => boolean
    /** As `readBases` found them; this goes on with it. */
    latest: Map<string, Base>
  },
): Promise<() => void> {
  const { memory, conversationOf, mayBuild, latest } = options
  const roots = new Map<string, Base>()
  const made: Base[] = []
  const rows: ContentRow[] = []

  function rootOf(item: Item): Base | undefined {
    const { family } = item
    const root = memory.roots.get(family)
    const plain = root === undefined ? undefined : memory.cache.get(root.id)
    return roots.get(family) ?? (root === undefined || plain === undefined ? undefined : { ...root, plain })
  }

  for (const item of items) {
    const conversation = conversationOf(item)
    const builds = mayBuild(item.day) && !item.opaque
    const previous = builds && conversation !== null ? latest.get(baseName(conversation, item)) : undefined
    const root = builds ? rootOf(item) : undefined
    const plain = plainOf(item)
    const base = [previous, root].find((found) => found !== undefined && suits(found, plain)) ?? null
    const row = await contentRow(item, plain, base)
    rows.push(row)
    if (!builds) continue
    const own: Base = { id: item.id, depth: row.depth, plain }
    made.push(own)
    if (conversation !== null) latest.set(baseName(conversation, item), own)
    const poor = base === root && row.data.length > plain.length * poorRatio && row.depth < 8
    if (root === undefined || poor) roots.set(item.family, own)
  }
  for (const slice of slices(rows, (row) => row.data.length)) await insertRows(tx, 'contents', columns, slice)
  return () => remember(memory, made, roots)
}

function remember(memory: ContentMemory, made: readonly Base[], roots: ReadonlyMap<string, Base>): void {
  for (const { id, plain } of made) memory.cache.set(id, plain)
  for (const [family, { id, depth }] of roots) {
    memory.roots.delete(family)
    memory.roots.set(family, { id, depth })
  }
  for (const oldest of memory.roots.keys()) {
    if (memory.roots.size <= mostRoots) break
    memory.roots.delete(oldest)
  }
}

/** Not too deep, and not so much larger that loading it costs more than it saves. */
function suits({ depth, plain }: Base, bytes: Uint8Array): boolean {
  return depth < deepest && plain.length < bytes.length * 16 + 256 * 1024
}

function plainOf(item: Item): Uint8Array {
  const { request, response } = item.exchange
  return Buffer.concat([writeHead(item.exchange), request, response])
}

async function contentRow({ id, exchange }: Item, plain: Uint8Array, base: Base | null): Promise<ContentRow> {
  const packed = await compressWith(base?.plain ?? null, plain)
  const worth = packed.length < plain.length
  return {
    id,
    base: worth ? (base?.id ?? null) : null,
    depth: worth && base !== null ? base.depth + 1 : 0,
    codec: worth ? codecs.zstd : codecs.raw,
    head: plain.length - exchange.request.length - exchange.response.length,
    request: exchange.request.length,
    response: exchange.response.length,
    data: worth ? packed : plain,
  }
}

const columns: Column<ContentRow>[] = [
  { name: 'id', kind: 'uuid', value: (row) => row.id },
  { name: 'base', kind: 'uuid', value: (row) => row.base },
  { name: 'depth', kind: 'number', value: (row) => row.depth },
  { name: 'codec', kind: 'number', value: (row) => row.codec },
  { name: 'head_bytes', kind: 'number', value: (row) => row.head },
  { name: 'request_bytes', kind: 'number', value: (row) => row.request },
  { name: 'response_bytes', kind: 'number', value: (row) => row.response },
  { name: 'data', kind: 'bytes', wide: true, value: (row) => row.data },
]
