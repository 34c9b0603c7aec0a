import type { Sql } from 'postgres'
import type { Producer } from '#broker'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { JobsPayload } from '#queues/jobs'
import { type Announcer, dueChannel } from '../events/announce.ts'
import { type Claimed, claim } from './claim.ts'
import { moveDue } from './due.ts'
import { openMender, settleAfter, unbegun } from './sweep.ts'

/**
 * Hands jobs from their rows to the queue engine, a short window at a time. Every worker has a feeder; they take turns
 * by a lock that lasts one step, so that one that dies holds nobody up.
 */
export type Feeder = {
  /** There may be something to hand over: a place is free. */
  wake(): void
  stop(): Promise<void>
}

export type FeederOptions = {
  sql: Sql
  producer: Pick<Producer<JobsPayload>, 'enqueueMany'>
  announcer: Announcer
  log: Logger
}

/** ASCII "jobs". */
const lockKey = 0x6a6f6273
const idleMs = 1_000
/** Another feeder is at it. */
const busyMs = 20
/** Database or engine is down. */
const downMs = 200
const sweepEveryMs = 5_000

export function openFeeder({ sql, producer, announcer, log }: FeederOptions): Feeder {
  const mend = openMender(sql)
  let afterKey = ''
  let woken = true
  let wakeUp = () => {}
  let stopped = false
  /** Did the engine refuse some? Then it is told again of all that it should have. */
  let owed = false
  let down = false
  let sweptAt = Number.NEGATIVE_INFINITY
  const listening = sql.listen(dueChannel, wake, wake)
  listening.catch(() => {}) // postgres.js goes on trying, and meanwhile there is the timer
  const running = loop()

  return {
    wake,
    async stop() {
      stopped = true
      wake()
      await running
      const session = await Promise.race([listening.catch(() => null), Bun.sleep(500)])
      await session?.unlisten().catch(() => {})
    },
  }

  function wake(): void {
    woken = true
    wakeUp()
  }

  async function loop(): Promise<void> {
    while (!stopped) {
      woken = false
      const waitMs = await step().catch(failed)
      if (waitMs > 0) await pause(waitMs)
    }
  }

  /** @returns how long there is nothing to do, in ms, unless something wakes it */
  async function step(): Promise<number> {
    if (owed) await handOver(await unbegun(sql, { olderThanMs: 0 }))
    owed = false
    const turn = await takeTurn()
    if (turn === null) return busyMs
    await handOver(turn.claimed)
    for (const id of [...turn.expired, ...(await settleAfter(sql, turn.expired))]) announcer.changed(id)
    await sweep()
    recovered()
    if (turn.more || turn.expired.length > 0) return 0
    return Math.min(idleMs, Math.max(1, Math.ceil(turn.nextMs ?? idleMs)))
  }

  async function takeTurn() {
    return await sql.begin(async (tx) => {
      const [lock] = await tx<[{ mine: boolean }]>`
        select pg_try_advisory_xact_lock(${lockKey}) as mine, set_config('jit', 'off', true)`
      if (!lock.mine) return null
      const { expired, nextMs, room } = await moveDue(tx)
      if (room <= 0) return { claimed: [], expired, nextMs, more: false }
      const found = await claim(tx, { room, afterKey })
      const more = found.afterKey !== '' && found.claimed.length < room
      afterKey = found.afterKey
      return { claimed: found.claimed, expired, nextMs, more }
    })
  }

  async function handOver(claimed: readonly Claimed[]): Promise<void> {
    if (claimed.length === 0) return
    owed = true
    await producer.enqueueMany(
      claimed.map(({ id, kind, admission, runAt }) => ({
        ...{ id: `${id}-${admission}`, name: kind, timestamp: Math.round(runAt) },
        payload: { v: 1 as const, id, admission },
      })),
    )
    owed = false
  }

  async function sweep(): Promise<void> {
    if (performance.now() - sweptAt < sweepEveryMs) return
    sweptAt = performance.now()
    await handOver(await unbegun(sql, { olderThanMs: sweepEveryMs }))
    for (const id of await mend()) announcer.changed(id)
  }

  function failed(error: unknown): number {
    // After an outage workers have a few seconds to be heard of, before what they run is taken for lost.
    sweptAt = performance.now()
    if (!down && !stopped) log.warn({ reason: errorText(error) }, 'jobs: none can be handed over, trying on')
    down = true
    return downMs
  }

  function recovered(): void {
    if (down) log.info('jobs: handed over again')
    down = false
  }

  async function pause(ms: number): Promise<void> {
    if (woken || stopped) return
    const { promise, resolve } = Promise.withResolvers<void>()
    wakeUp = resolve
    const timer = setTimeout(resolve, ms)
    await promise
    clearTimeout(timer)
    wakeUp = () => {}
  }
}
