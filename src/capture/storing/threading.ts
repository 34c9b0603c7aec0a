import type { TransactionSql } from 'postgres'
import { idFloor, idTime } from '#lib/ids'
import type { Item } from './item.ts'
import type { KeyedTurn } from './keys.ts'

/** A longer silence begins a new conversation. */
const longestPauseMs = 30 * 86_400_000
/** How many of the latest answers in a resent history are tried: all but the last matter only out of order. */
const mostAnswers = 16
/** The first key of the two-key advisory locks that are ours. */
const lockSpace = 0x51_0c_e0
const lockBuckets = 1024

/** A turn that is already there, and whose conversation could be meant. */
type Known = { conversation: string; reply: boolean; lastAt: number }

type Memory = {
  turns: Map<string, Known[]>
  /** The key of each conversation's last turn. */
  tips: Map<string, string | null>
}

/**
 * The conversation of each item that has no session, by item id: the one whose history it resends, or else a new
 * one with the item's own id. The items must be in the order of their ids.
 */
export async function threadByHistory(
  tx: TransactionSql,
  items: readonly Item[],
): Promise<Map<string, string>> {
  const threaded = items.filter((item) => item.thread.by === 'history')
  const placed = new Map<string, string>()
  if (threaded.length === 0) return placed
  await lockHistories(tx, threaded)
  const memory = await readKnown(tx, threaded)
  for (const item of threaded) {
    const conversation = best(item, memory) ?? item.id
    placed.set(item.id, conversation)
    remember(item, conversation, memory)
  }
  return placed
}

/**
 * Holds back whoever would read a history that another worker is about to write. First messages share the lock,
 * as they look for nothing that could be there; in one order, so that nobody waits in a circle.
 */
async function lockHistories(tx: TransactionSql, items: readonly Item[]): Promise<void> {
  const buckets = new Map<number, boolean>()
  for (const item of items) {
    const first = item.turns.find((turn) => turn.links)
    if (first === undefined) continue
    const bucket = Number.parseInt(first.key.slice(0, 8), 16) % lockBuckets
    buckets.set(bucket, buckets.get(bucket) === true || isContinued(item))
  }
  const sorted = [...buckets].sort(([a], [b]) => a - b)
  // As numbers: the driver makes `f` of every string in an array of booleans, and refuses booleans themselves.
  await tx`
    select case when alone = 1 then pg_advisory_xact_lock(${lockSpace}, bucket)::text
      else pg_advisory_xact_lock_shared(${lockSpace}, bucket)::text end
    from unnest(${sorted.map(([bucket]) => bucket)}::int[], ${sorted.map(([, alone]) => Number(alone))}::int[])
      as wanted (bucket, alone)`
}

/** Does it resend a history, be it only one question and its answer? */
function isContinued(item: Item): boolean {
  return historyOf(item).length > 1
}

function historyOf({ turns, means }: Item): KeyedTurn[] {
  const history = means.reply === null ? turns : turns.slice(0, -1)
  return history.filter((turn) => turn.links)
}

/**
 * The keys by which an item may be recognised, the longest history first: all of it with its answer (stored out of
 * order), all of it (a retry), then what ends with an answer.
 */
function candidates(item: Item): { key: string; whole: boolean }[] {
  const tip = item.means.reply === null ? undefined : item.turns.at(-1)
  const found = tip === undefined ? [] : [{ key: tip.key, whole: true }]
  const history = historyOf(item)
  const last = history.at(-1)
  if (history.length < 2 || last === undefined) return found
  const answers = history
    .slice(0, -1)
    .filter((turn) => turn.message.role === 'assistant')
    .slice(-mostAnswers)
    .reverse()
  return [...found, { key: last.key, whole: true }, ...answers.map(({ key }) => ({ key, whole: false }))]
}

/** Nearly every thread is found by one of its longest histories; the others are looked for only where it is not. */
async function readKnown(tx: TransactionSql, items: readonly Item[]): Promise<Memory> {
  const memory: Memory = { turns: new Map(), tips: new Map() }
  await readTurns(
    tx,
    memory,
    items.flatMap((item) => wantsOf(item).slice(0, likely)),
  )
  const unknown = items.filter((item) => best(item, memory) === undefined)
  await readTurns(
    tx,
    memory,
    unknown.flatMap((item) => wantsOf(item).slice(likely)),
  )
  return memory
}

const likely = 3

/** A turn to look for, among those of conversations younger than `after` and of days since `floor`. */
type Want = { key: string; after: string; floor: string }

function wantsOf(item: Item): Want[] {
  const continued = isContinued(item)
  const after = continued ? lowestId : item.id
  const floor = idFloor(idTime(item.id) - (continued ? longestPauseMs : 0))
  return candidates(item).map(({ key }) => ({ key, after, floor }))
}

const lowestId = '00000000-0000-0000-0000-000000000000'

/** Many conversations may have begun alike, so of each key only the youngest are read. */
async function readTurns(tx: TransactionSql, memory: Memory, given: readonly Want[]): Promise<void> {
  const wants = [...new Map(given.map((want) => [want.key + want.after, want])).values()]
  if (wants.length === 0) return
  const rows = await tx<(Known & { key: string; tip: string | null })[]>`
    select want.key, t.conversation_id as conversation, t.reply,
      encode(c.tip, 'hex') as tip, extract(epoch from c.last_at)::float8 * 1000 as "lastAt"
    from unnest(
      ${wants.map((want) => want.key)}::text[], ${wants.map((want) => want.after)}::uuid[],
      ${wants.map((want) => want.floor)}::uuid[]
    ) as want (key, after, floor)
    cross join lateral (
      select conversation_id, reply from turns
      where key = decode(want.key, 'hex') and conversation_id > want.after and id >= want.floor
      order by conversation_id desc limit 16
    ) as t
    join conversations c on c.id = t.conversation_id`
  for (const { key, tip, ...turn } of rows) {
    memory.turns.set(key, [...(memory.turns.get(key) ?? []), turn])
    memory.tips.set(turn.conversation, tip)
  }
}

/**
 * Of the longest history that is known, the thread that nobody has carried on yet, or else the latest. An answer
 * in the middle counts only if it was a model's here: examples in a prompt make no thread. A first message joins
 * only what a later one of its thread made that overtook it: there its answer came as history.
 */
function best(item: Item, { turns, tips }: Memory): string | undefined {
  const continued = isContinued(item)
  for (const { key, whole } of candidates(item)) {
    const fitting = (turns.get(key) ?? []).filter((turn) =>
      continued ? whole || turn.reply : turn.conversation > item.id && !turn.reply,
    )
    const open = ({ conversation }: Known) =>
      Number(tips.get(conversation) === key) + 2 * Number(conversation === item.former)
    const [first] = fitting.sort((a, b) => open(b) - open(a) || b.lastAt - a.lastAt)
    if (first !== undefined) return first.conversation
  }
  return undefined
}

/** Later items of the batch see this one. */
function remember(item: Item, conversation: string, { turns, tips }: Memory): void {
  const linked = item.turns.filter((turn) => turn.links)
  const last = linked.at(-1)
  if (last === undefined) return
  tips.set(conversation, last.key)
  const lastAt = item.exchange.end.ended_at
  for (const turn of linked) {
    const reply = item.means.reply !== null && turn === last
    const there = turns.get(turn.key) ?? []
    if (!there.some((other) => other.conversation === conversation && other.reply === reply))
      turns.set(turn.key, [...there, { conversation, reply, lastAt }])
  }
}
