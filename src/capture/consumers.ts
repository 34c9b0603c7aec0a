import { promisify } from 'node:util'
import zlib from 'node:zlib'
import type { Sql } from 'postgres'
import type { Handler } from '#broker'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { LoggingPayload } from '#queues/logging'
import type { UpkeepPayload } from '#queues/upkeep'
import { decodeExchanges } from './frame.ts'
import type { Interpret } from './interpretation.ts'
import { announce } from './storing/announce.ts'
import { type Batch, type StoreState, storeBatch } from './storing/batch.ts'
import { derive } from './storing/derive.ts'
import { indexAll, openIndexer } from './storing/indexer.ts'
import { itemOf } from './storing/item.ts'
import type { BatchRef } from './storing/marker.ts'
import { today } from './storing/partitions.ts'
import { dropParts, stagedParts, stagePart } from './storing/parts.ts'
import { plainCache } from './storing/plain-cache.ts'
import { quietTimes } from './storing/quiet.ts'
import type { Account, Accountable } from './storing/store.ts'
import { makeAhead, retain, type UpkeepOptions } from './storing/upkeep.ts'

export type LoggingOptions = {
  sql: Sql
  interpret: Interpret
  /** Adds up what is stored, in the same transaction. */
  account?: Account
  /** Told of what was stored for the first time, after the commit. Must return at once, and not throw. */
  onStored?: (stored: readonly Accountable[]) => void
  log: Logger
  /** As upkeep has it: contents that may soon be dropped are nothing to build upon. */
  retentionDays?: number | undefined
  /** Bound of the plain bytes kept to build contents upon. @default 64 MiB */
  cacheBytes?: number
}

export type LoggingHandler = Handler<LoggingPayload> & {
  /** Resolves when everything stored by this handler can be found by a search. */
  indexed(): Promise<void>
  /** Lets go of the search index; whatever waits is indexed by the next worker. */
  close(): Promise<void>
}

/**
 * Stores batches of exchanges. A job that resolves is committed; one that rejects stored nothing and can be tried
 * again; one that was stored before does nothing.
 */
export function loggingHandler(options: LoggingOptions): LoggingHandler {
  const { sql, interpret, log, retentionDays = Number.POSITIVE_INFINITY } = options
  const state: StoreState = {
    sql,
    memory: { cache: plainCache(options.cacheBytes ?? 64 * 1024 * 1024), roots: new Map() },
    days: new Set(),
    mayBuild: (day) => day > today() - retentionDays,
    account: options.account,
  }
  const quiet = quietTimes()
  const indexer = openIndexer(sql, quiet, (error) =>
    log.warn({ reason: errorText(error) }, 'search: indexing failed'),
  )
  const onUnreadable = (id: string, reason: string) =>
    log.error({ exchange: id, reason }, 'store: an exchange cannot be interpreted, its bytes are stored')

  async function handle(payload: LoggingPayload): Promise<unknown> {
    const ref: BatchRef = { spool: payload.spool, batch: payload.batch, floor: payload.floor }
    const packed = Buffer.from(payload.frames, 'base64')
    if (payload.part < payload.parts - 1) return await stagePart(sql, ref, payload.part, packed)
    const earlier = payload.parts === 1 ? [] : await stagedParts(sql, ref, payload.parts - 1)
    if (earlier === null) return { again: true }
    const { exchanges, damaged } = await decode([...earlier, packed])
    const items = exchanges.map((exchange) => itemOf(derive(exchange, { interpret, onUnreadable })))
    const batch: Batch = { ...ref, items, damaged }
    const stored = await storeBatch(state, batch)
    if (payload.parts > 1) await dropParts(sql, ref)
    if (stored === null) return { again: true }
    if (stored.quarantined > 0)
      log.error({ ...ref, quarantined: stored.quarantined }, 'store: exchanges were put into quarantine')
    indexer.wake()
    const fresh = new Set(stored.ids)
    options.onStored?.(items.filter(({ id }) => fresh.has(id)))
    await announce(sql, stored.ids).catch(() => log.warn(ref, 'store: live tail was not told of a batch'))
    return { stored: stored.stored, quarantined: stored.quarantined }
  }

  return Object.assign((payload: LoggingPayload) => quiet.during(() => handle(payload)), {
    indexed: () => indexer.idle(),
    close: () => indexer.close(),
  })
}

/**
 * Makes partitions ahead of their day, or drops what is past retention and indexes what a worker that stopped left
 * unindexed.
 */
export function upkeepHandler(options: UpkeepOptions): Handler<UpkeepPayload> {
  return async ({ task }) => {
    if (task === 'partitions') return await makeAhead(options.sql)
    const retained = await retain(options)
    await indexAll(options.sql)
    return retained
  }
}

const unpack = promisify(zlib.zstdDecompress)

/** Bytes that are no frames at all are damage like any other: kept, and no reason to try again. */
async function decode(packed: readonly Uint8Array[]): Promise<{
  exchanges: ReturnType<typeof decodeExchanges>['exchanges']
  damaged: Batch['damaged']
}> {
  try {
    const pieces: Uint8Array[] = []
    for (const piece of packed) pieces.push(await unpack(piece))
    const { exchanges, damaged } = decodeExchanges(Buffer.concat(pieces))
    return { exchanges, damaged: damaged.map(({ id, ...rest }) => ({ exchange: id, ...rest })) }
  } catch (error) {
    const reason = `unpacking a batch: ${errorText(error, 300)}`
    return { exchanges: [], damaged: [{ exchange: null, reason, bytes: Buffer.concat(packed) }] }
  }
}
