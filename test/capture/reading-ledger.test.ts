import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import type { SpoolLedger } from '#capture'
import { until } from '../support/until.ts'
import { type Fixture, openFixture } from './reading-support.ts'

setDefaultTimeout(60_000)

const live: SpoolLedger = {
  ...{ spool: 'here-0', accepted: 10, stored: 4, spooled: 3, queued: 2, quarantined: 1, dropped: 0 },
  ...{ open: 5, bytes: 100, max_bytes: 1_000 },
}
let fixture: Fixture

beforeAll(async () => {
  fixture = await openFixture({ ledgers: () => [live], timeoutMs: 400 })
  await fixture.database.sql`
    insert into spools (id, reported_at, accepted, stored, spooled, queued, quarantined, dropped, committed) values
      ('here-0', now(), 1, 1, 0, 0, 0, 0, 6), ('there-0', now(), 7, 5, 1, 1, 0, 0, 5)`
})

afterAll(() => fixture.release())

/** Asked again where a loaded machine took longer than the limit of these reads. */
async function wholeLedger(): Promise<object> {
  let ledger: { whole?: boolean } = {}
  await until('the whole ledger comes in time', async () => {
    ledger = (await fixture.ask('/api/ledger', { key: fixture.keys.admin })).json as typeof ledger
    return ledger.whole
  })
  return ledger
}

test('R4: the ledger adds up, live here and as reported elsewhere', async () => {
  expect(await wholeLedger()).toMatchObject({
    items: [
      { spool: 'here-0', live: true, accepted: 10, committed: 6, adds_up: true },
      { spool: 'there-0', live: false, accepted: 7, adds_up: true },
    ],
    total: {
      accepted: 17,
      stored: 9,
      spooled: 4,
      queued: 3,
      quarantined: 1,
      dropped: 0,
      open: 5,
      adds_up: true,
    },
    whole: true,
  })
})

test('R4: a spool whose sum is off is shown', async () => {
  await fixture.database.sql`update spools set dropped = 1 where id = 'there-0'`
  expect(await wholeLedger()).toMatchObject({
    items: [{ adds_up: true }, { adds_up: false }],
    total: { adds_up: false },
  })
})

test('R4: while the database does not answer, what is known here is shown, and said not to be all', async () => {
  await fixture.database.sql.begin(async (tx) => {
    await tx`lock table spools`
    const { json } = await fixture.ask('/api/ledger', { key: fixture.keys.admin })
    expect(json).toMatchObject({ items: [{ spool: 'here-0' }], total: { accepted: 10 }, whole: false })
  })
})

test('R12: a read past its time limit is 503, and says what to do', async () => {
  await fixture.database.sql.begin(async (tx) => {
    await tx`lock table exchanges`
    const answer = await fixture.ask('/api/exchanges')
    expect(answer.status).toBe(503)
    expect(answer.json).toMatchObject({ type: 'urn:sluice:problem:read-too-slow' })
  })
})

test('R12: reads beyond the bound are refused at once', async () => {
  await fixture.database.sql.begin(async (tx) => {
    await tx`lock table exchanges`
    const answers = await Promise.all(Array.from({ length: 80 }, () => fixture.ask('/api/exchanges')))
    const busy = answers.filter(({ json }) => (json as { type: string }).type === 'urn:sluice:problem:busy')
    expect(busy.length).toBe(16)
    expect(busy[0]?.headers.get('retry-after')).toBe('1')
  })
})
