import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { openBroker } from '#broker'
import { classificationHandler } from '#consumers/llm'
import { backfill, interpret, openClassification, openClassificationFeed } from '#llm'
import { classification } from '#queues/classification'
import type { LoggingHandler } from '../../../src/capture/consumers.ts'
import { handlerOn, job, quiet, stored } from '../../capture/store-support.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { until } from '../../support/until.ts'
import { type ClassRow, said } from './support.ts'

describe('the classification of stored exchanges', () => {
  let database: TestDatabase
  let logging: LoggingHandler
  beforeEach(async () => {
    database = await testDatabase()
    logging = handlerOn(database.sql, { interpret })
  })
  afterEach(async () => {
    await logging.close()
    await database.drop()
  })

  const rules = () =>
    openClassification({
      ...{ sql: database.sql, interpret, log: quiet, perMinute: 100, providers: {} },
      gatewayUrl: 'http://127.0.0.1:9',
    })
  const rows = () => database.sql<ClassRow[]>`select * from exchange_classes order by id`
  const titles = async () =>
    (await database.sql<{ title: string | null }[]>`select title from conversations order by id`).map(
      ({ title }) => title,
    )

  test('fills the classes and the title of the conversation, once', async () => {
    const first = said('Please fix the bug in src/a.py', '```python\na = 1\n```')
    const next = said(
      ['Please fix the bug in src/a.py', '```python\na = 1\n```', 'Translate it to French'],
      'Voilà',
    )
    await stored(logging, [first, next])
    const { classify } = rules()
    const handle = classificationHandler({ sql: database.sql, classify })
    const ids = [first.open.id, next.open.id]
    expect(await handle({ v: 1, ids }, job)).toEqual({ classified: 2, failed: 0 })
    expect(await rows()).toMatchObject([
      {
        id: first.open.id,
        task_type: 'debugging',
        language: 'python',
        source: 'rules',
        sensitivity: 'internal',
      },
      { id: next.open.id, task_type: 'translation' },
    ])
    expect(await titles()).toEqual(['Fix the bug in src/a.py'])
    expect(await handle({ v: 1, ids }, job)).toEqual({ classified: 0, failed: 0 })
  })

  test('a title that is there stays', async () => {
    const first = said('Please fix the bug', 'Done')
    await stored(logging, [first])
    await database.sql`update conversations set title = 'Named by a person'`
    await classificationHandler({ sql: database.sql, classify: rules().classify })(
      { v: 1, ids: [first.open.id] },
      job,
    )
    expect(await titles()).toEqual(['Named by a person'])
  })

  test('what failed, has no content, or is a call of our own is left alone', async () => {
    const mine = said('Classify this', 'ok', { tags: ['sluice-internal'] })
    const bare = said('Secret', 'ok', { mode: 'metadata' })
    const left = said('Hello', 'ok', { outcome: 'client_gone' })
    const counted = said('Hello', 'ok', { path: '/v1/messages/count_tokens' })
    await stored(logging, [mine, bare, left, counted])
    const ids = [mine, bare, left, counted].map(({ open }) => open.id)
    const handle = classificationHandler({ sql: database.sql, classify: rules().classify })
    expect(await handle({ v: 1, ids }, job)).toEqual({ classified: 0, failed: 0 })
    expect((await rows()).length).toBe(0)
  })

  test('the feed carries ids only, of what may be classified, after the commit', async () => {
    const broker = openBroker(undefined, database.url, { log: quiet, name: 'test' })
    const jobs: unknown[] = []
    broker.consume(
      classification,
      async (payload) => {
        jobs.push(payload)
      },
      { onError: () => {} },
    )
    const feed = openClassificationFeed({
      producer: broker.producer(classification),
      counts: () => broker.counts(classification.name),
      ...{ log: quiet, everyMs: 5 },
    })
    const fed = handlerOn(database.sql, { interpret, onStored: feed.add })
    const good = [said('Hello', 'Hi'), said('Hello again', 'Hi')]
    const bad = [said('x', 'y', { mode: 'metadata' }), said('x', 'y', { tags: ['sluice-internal'] })]
    await stored(fed, [...good, ...bad])
    await until('a job comes', () => jobs.length > 0)
    expect(jobs).toEqual([{ v: 1, ids: good.map(({ open }) => open.id) }])
    await feed.close()
    await fed.close()
    await broker.close()
  })

  test('a queue that is away, or too long, costs the storing nothing', async () => {
    let calls = 0
    const feed = openClassificationFeed({
      producer: {
        async enqueue() {
          calls += 1
          throw new Error('down')
        },
      },
      counts: async () => ({
        waiting: calls === 0 ? 0 : 5_000,
        active: 0,
        delayed: 0,
        completed: 0,
        failed: 0,
      }),
      ...{ log: quiet, everyMs: 1 },
    })
    const fed = handlerOn(database.sql, { interpret, onStored: feed.add })
    await stored(fed, [said('Hello', 'Hi')])
    await feed.close()
    expect(calls).toBe(1)
    expect((await database.sql<{ id: string }[]>`select id from exchanges`).length).toBe(1)
    await fed.close()
  })

  test('a backfill goes through everything once, and on from where it was stopped', async () => {
    const all = Array.from({ length: 300 }, (_, n) => said(`Question ${n}?`, `Answer ${n}`))
    await stored(logging, all)
    const stop = new AbortController()
    const classify = rules().classify
    const onProgress = () => stop.abort()
    const run = { sql: database.sql, classify }
    expect(await backfill({ ...run, onProgress, signal: stop.signal })).toBeNull()
    const before = (await rows()).length
    expect(before).toBe(128)
    const rest = await backfill({ ...run, signal: new AbortController().signal })
    expect(rest).toMatchObject({ classified: 300 - before, passedOver: 0 })
    expect((await rows()).length).toBe(300)
    const [since, until] = [all[10]?.open.started_at ?? 0, all[20]?.open.started_at ?? 0]
    await database.sql`delete from exchange_classes`
    const part = await backfill({ ...run, since, until, signal: new AbortController().signal })
    expect(part?.classified).toBe(10)
  })
})
