import { errorText, SluiceError } from '#lib/errors'
import { idFloor } from '#lib/ids'
import type { Logger } from '#lib/log'
import { withFacts } from './exchange-facts.ts'
import {
  type BareExchangeRow,
  type ExchangeItem,
  type ExchangeRow,
  exchangeColumns,
  exchangeItem,
} from './exchange-item.ts'
import type { ReadSql } from './messages.ts'

/** Every exchange that is stored, by whichever worker, told to all who follow on this gateway. */
export type Tail = {
  /**
   * Listens from the time when it resolves. Items come in the order of their commits, each once as far as this
   * process can tell.
   */
  follow(follower: Follower): Promise<() => void>
  /** Ends all followers. */
  close(): Promise<void>
}

export type Follower = {
  onItems: (items: readonly ExchangeItem[]) => void
  onEnd: () => void
}

export type TailSources = {
  read: ReadSql
  /** One session for all of this process; connects again by itself, and says so through `onConnect`. */
  listen: (onMessage: (payload: string) => void, onConnect: () => void) => Promise<() => Promise<void>>
  log: Logger
}

const idsAtOnce = 500
const remembered = 20_000
/** How much later than another that ended at the same time an exchange may be committed and still be found. */
export const lateMs = 5_000
const longestMs = 86_400_000

/**
 * One listening session and one read a notification, however many follow. A notification names the exchanges; where
 * it does not, or some were lost because the session broke, the table is asked for what ended since.
 */
export function openTail({ read, listen, log }: TailSources): Tail {
  const followers = new Set<Follower>()
  const pending = new Set<string>()
  const recent = new Set<string>()
  let lastEnd = Date.now()
  let lost = false
  let closed = false
  let listening: Promise<() => Promise<void>> | null = null
  let pumping: Promise<void> | null = null

  async function follow(follower: Follower): Promise<() => void> {
    if (closed) throw new SluiceError(503, 'stopping', 'This gateway is about to stop: try again')
    listening ??= listen(onStored, onConnect)
    try {
      await listening
    } catch (error) {
      listening = null
      throw error
    }
    if (followers.size === 0) lastEnd = Date.now()
    followers.add(follower)
    return () => void followers.delete(follower)
  }

  function onStored(payload: string): void {
    if (followers.size === 0) return
    const ids = payload.match(/[0-9a-f]{8}-[0-9a-f-]{27}/g)
    if (ids === null) lost = true
    for (const id of ids ?? []) pending.add(id)
    pump()
  }

  /** Also after each loss of the session, in which notifications were lost. */
  function onConnect(): void {
    lost = followers.size > 0
    pump()
  }

  function pump(): void {
    if (!lost && pending.size === 0) return
    pumping ??= deliverAll().finally(() => {
      pumping = null
    })
  }

  async function deliverAll(): Promise<void> {
    try {
      while (followers.size > 0 && (lost || pending.size > 0)) deliver(await nextRows())
    } catch (error) {
      lost = true
      log.warn(
        { reason: errorText(error) },
        'the live tail cannot read; it goes on with the next notification',
      )
    }
    pending.clear()
  }

  async function nextRows(): Promise<ExchangeRow[]> {
    if (lost) {
      lost = false
      return await endedSince(read, { since: lastEnd - lateMs, limit: idsAtOnce })
    }
    const ids = [...pending].slice(0, idsAtOnce)
    for (const id of ids) pending.delete(id)
    return await read(async (sql) => {
      const rows = await sql<BareExchangeRow[]>`
        select ${exchangeColumns(sql)} from exchanges x where x.id = any(${ids}::uuid[]) order by x.ended_at, x.id`
      return await withFacts(sql, rows)
    })
  }

  function deliver(rows: readonly ExchangeRow[]): void {
    const fresh = rows.filter((row) => !recent.has(row.id))
    for (const { id, ended_at } of fresh) {
      recent.add(id)
      lastEnd = Math.max(lastEnd, ended_at)
    }
    for (const id of recent) {
      if (recent.size <= remembered) break
      recent.delete(id)
    }
    const items = fresh.map(exchangeItem)
    if (items.length > 0) for (const follower of followers) follower.onItems(items)
  }

  async function close(): Promise<void> {
    closed = true
    for (const follower of followers) follower.onEnd()
    followers.clear()
    const unlisten = await listening?.catch(() => null)
    await unlisten?.().catch(() => {})
    await pumping
  }

  return { follow, close }
}

/** The last `limit` exchanges that ended after that time, in ms, oldest end first. */
export async function endedSince(
  read: ReadSql,
  { since, limit }: { since: number; limit: number },
): Promise<ExchangeRow[]> {
  const rows = await read(async (sql) => {
    const found = await sql<BareExchangeRow[]>`
      select ${exchangeColumns(sql)} from exchanges x
      where x.ended_at > ${new Date(since).toISOString()} and x.id >= ${idFloor(since - longestMs)}
      order by x.ended_at desc, x.id desc limit ${limit}`
    return await withFacts(sql, found)
  })
  return rows.toReversed()
}
