import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { FinalJobError } from '#broker'
import type { Kind } from '#jobs'
import { until } from '../support/until.ts'
import { engines, openRig, type Rig } from './support.ts'

describe.each(engines)('jobs on %s', (engine) => {
  let rig: Rig
  const scripts = new Map<number, Kind['run']>()
  let next = 0

  /** A job that does this. */
  async function scripted(script: Kind['run'], how: Record<string, unknown> = {}): Promise<string> {
    next += 1
    scripts.set(next, script)
    return await rig.add({ kind: 'scripted', input: { n: next }, ...how })
  }

  beforeAll(async () => {
    rig = await openRig(engine, async (input, context) => {
      const { n } = input as { n: number }
      return await scripts.get(n)?.(input, context)
    })
    await rig.worker({ concurrency: 8 })
  }, 60_000)
  afterAll(() => rig.close())

  const bodyOf = async (id: string, part: string) => {
    const [found] = await rig.database.sql<{ body: Uint8Array }[]>`
      select body from job_bodies where job_id = ${id} and part = ${part}`
    return found === undefined ? undefined : JSON.parse(Bun.zstdDecompressSync(found.body).toString())
  }

  test('a job runs, and its row has its result', async () => {
    const id = await rig.add({ kind: 'echo', input: { text: 'a\u0000b\ud800c', b: 1, a: 2 } })
    const row = await rig.becomes(id, 'succeeded')
    expect(row).toMatchObject({ attempt: 1, error: null })
    expect(await bodyOf(id, 'result')).toEqual({ text: 'a\u0000b\ud800c', b: 1, a: 2 })
  })

  test('a new job is picked up within some ms', async () => {
    await rig.becomes(await rig.add({ kind: 'echo' }), 'succeeded')
    const took: number[] = []
    for (let n = 0; n < 5; n++) {
      const sent = performance.now()
      const began = Promise.withResolvers<number>()
      await scripted(async () => began.resolve(performance.now()))
      took.push((await began.promise) - sent)
    }
    expect(Math.min(...took)).toBeLessThan(60)
  })

  test('one that fails is tried again after its backoff, and then is a dead letter with its reason and stack', async () => {
    const attempts: number[] = []
    const id = await scripted(
      async (_, { attempt }) => {
        attempts.push(attempt)
        throw new TypeError(`no\u0000t this time ${attempt}`)
      },
      { attempts: 3, backoff: { ms: 20 } },
    )
    const row = await rig.becomes(id, 'failed')
    expect(attempts).toEqual([1, 2, 3])
    expect(row).toMatchObject({ attempt: 3, error: 'not this time 3', error_class: 'TypeError' })
    expect(await bodyOf(id, 'stack')).toContain('running.test.ts')
    const history = await rig.database.sql`
      select attempt, outcome, error from job_attempts where job_id = ${id} order by attempt`
    expect(history.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed'])
  })

  test('a final error is tried once, whatever is left', async () => {
    const id = await scripted(async () => Promise.reject(new FinalJobError('never')), { attempts: 5 })
    expect(await rig.becomes(id, 'failed')).toMatchObject({ attempt: 1, error: 'never' })
  })

  test('what is thrown need not be an error, and a result need not be JSON', async () => {
    const strange = await scripted(async () => Promise.reject(Object.create(null)))
    expect((await rig.becomes(strange, 'failed')).error).toContain('cannot be shown')
    const circle: unknown[] = []
    circle.push(circle)
    const round = await scripted(async () => circle)
    expect((await rig.becomes(round, 'failed')).error).toContain('no JSON')
  })

  test('one that takes too long is told, and fails with its limit', async () => {
    const told = Promise.withResolvers<unknown>()
    const id = await scripted(
      async (_, { signal }) => {
        signal.addEventListener('abort', () => told.resolve(signal.reason))
        await told.promise
        throw new Error('stopped early')
      },
      { timeout: 0.05 },
    )
    const row = await rig.becomes(id, 'failed')
    expect(row).toMatchObject({ error: 'it took longer than 50 ms, its limit', error_class: 'TimeoutError' })
  })

  test('a job of the future runs at its time', async () => {
    const late = await Promise.all(
      [400, 600, 800].map(async (soon) => {
        const began = Promise.withResolvers<number>()
        const due = Date.now() + soon
        await scripted(async () => began.resolve(Date.now()), { run_at: new Date(due).toISOString() })
        return (await began.promise) - due
      }),
    )
    expect(Math.min(...late)).toBeGreaterThanOrEqual(-2)
    // A busy machine may hold one up; not all.
    expect(Math.min(...late)).toBeLessThan(300)
    const later = await rig.add({ kind: 'echo', delay: 3_600 })
    expect((await rig.row(later)).state).toBe('scheduled')
  })

  test('one whose ttl is over before it begins expires', async () => {
    const id = await rig.add({ kind: 'echo', delay: 30, ttl: 0.1 })
    expect(await rig.becomes(id, 'expired')).toMatchObject({ attempt: 0, error_class: 'Expired' })
  })

  test('progress and log lines are kept in their order', async () => {
    const id = await scripted(async (_, { progress, log }) => {
      log('first')
      progress(0.5, 'half')
      log('second')
    })
    await rig.becomes(id, 'succeeded')
    const events = await rig.database.sql<{ n: number; kind: string; data: Record<string, unknown> }[]>`
      select n, kind, data from job_events where job_id = ${id} order by n`
    expect(events.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5])
    expect(events.map(({ kind }) => kind)).toEqual(['state', 'log', 'log', 'progress', 'state'])
    expect(events.at(-1)?.data).toMatchObject({ state: 'succeeded', attempt: 1 })
  })

  test('of one concurrency key no more run at once than its limit', async () => {
    let running = 0
    let most = 0
    const two = Promise.withResolvers<void>()
    const script = async () => {
      running += 1
      most = Math.max(most, running)
      if (running === 2) two.resolve()
      await two.promise
      await Bun.sleep(15) // time for a third to begin, if it could
      running -= 1
    }
    const how = { concurrency_key: 'one', concurrency_limit: 2 }
    const ids = await Promise.all(Array.from({ length: 12 }, () => scripted(script, how)))
    for (const id of ids) await rig.becomes(id, 'succeeded')
    expect(most).toBe(2)
  })

  test('a job waits for those that it depends on, and fails with them unless it may go on', async () => {
    const gate = Promise.withResolvers<void>()
    const order: string[] = []
    const first = await scripted(async () => {
      await gate.promise
      order.push('first')
    })
    const second = await scripted(async () => order.push('second'), { depends_on: [first] })
    expect((await rig.row(second)).state).toBe('waiting')
    gate.resolve()
    await rig.becomes(second, 'succeeded')
    expect(order).toEqual(['first', 'second'])
    const bad = await scripted(async () => Promise.reject(new Error('bad')))
    const after = await scripted(async () => null, { depends_on: [bad] })
    const afterAfter = await scripted(async () => null, { depends_on: [after] })
    const anyway = await scripted(async () => 'went on', {
      depends_on: [bad],
      on_dependency_failure: 'continue',
    })
    expect((await rig.becomes(after, 'failed')).error).toContain(bad)
    expect((await rig.becomes(afterAfter, 'failed')).error).toContain(after)
    await rig.becomes(anyway, 'succeeded')
  })

  test('Q9: a tenant with many jobs does not hold up another one with one of the same kind', async () => {
    const { sql } = rig.database
    await sql`insert into tenants (id, name) values ('many', 'Many'), ('few', 'Few')`
    let ofMany = 0
    scripts.set(-1, async () => {
      ofMany += 1
      await Bun.sleep(5) // what each takes, so that the queue of the many is long
    })
    const asked = { kind: 'scripted', input: { n: -1 } }
    await Promise.all(Array.from({ length: 400 }, () => rig.add(asked, 'many')))
    await until('the many run', () => ofMany > 10)
    const reached = Promise.withResolvers<number>()
    scripts.set(-2, async () => reached.resolve(ofMany))
    await rig.add({ kind: 'scripted', input: { n: -2 } }, 'few')
    const before = ofMany
    expect((await reached.promise) - before).toBeLessThan(80)
    await until('all have run', () => ofMany === 400)
  })

  test('a kind that is paused waits, however many there are of it, and others go on', async () => {
    const { sql } = rig.database
    await sql`insert into job_kind_settings (kind, paused) values ('scripted', true)`
    const held = await scripted(async () => null)
    await rig.becomes(await rig.add({ kind: 'echo' }), 'succeeded')
    expect((await rig.row(held)).state).toBe('queued')
    await sql`delete from job_kind_settings`
    await rig.becomes(held, 'succeeded')
  })
})
