import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { engines, openRig } from './support.ts'

const many = 1_000_000
const few = 20

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  const { sql } = database
  await sql`insert into tenants (id, name) values ('many', 'Many'), ('few', 'Few')`
  await sql`
    insert into jobs (id, tenant, kind, state, priority, backoff)
    select ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'many', 'scripted', 'queued', n % 5,
      '{"type":"fixed","ms":1,"max_ms":1}' from generate_series(1, ${many}::int) n`
  await sql`vacuum analyze jobs`
}, 180_000)
afterAll(() => database.drop())

test.each(engines)(
  'Q9: a tenant with a million jobs does not hold up another one, on %s',
  async (engine) => {
    let ofMany = 0
    const rig = await openRig(
      engine,
      async () => {
        ofMany += 1
        await Bun.sleep(5) // the work of one
      },
      database,
    )
    const worker = await rig.worker()
    try {
      await until('the many run', () => ofMany > 50)
      const waits: number[] = []
      for (let n = 0; n < few; n += 1) {
        const asked = performance.now()
        await rig.becomes(await rig.add({ kind: 'echo', priority: -100 }, 'few'), 'succeeded')
        waits.push(performance.now() - asked)
      }
      const median = waits.toSorted((a, b) => a - b)[few / 2] ?? Number.POSITIVE_INFINITY
      expect(median).toBeLessThan(400)
      expect(Math.max(...waits)).toBeLessThan(3_000)
      const before = ofMany
      await until('the many go on', () => ofMany > before + 50)
    } finally {
      await worker.close()
      await rig.close()
    }
  },
  60_000,
)
