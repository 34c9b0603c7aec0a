import { expect, test } from 'bun:test'
import { adminKey, bearer } from '../access/support.ts'
import { ask } from '../processes/support.ts'
import { promptly } from '../support/promptly.ts'
import { plantJob } from './rows.ts'
import { testBoard } from './support.ts'

/** A fifth of a million, as a test must end; the whole was measured by hand: the same, within a few ms. */
const rows = 200_000

test('Q5: the job for one request is found among many in under a second, and so is any list', async () => {
  await using one = await testBoard()
  const { sql } = one
  const wanted = await plantJob(sql, {
    kind: 'export',
    words: 'report for request req-4711-abc',
    tags: ['wanted'],
  })
  await sql`
    insert into jobs (id, tenant, kind, state, error, tags, backoff, attempts)
    select (lpad(to_hex((extract(epoch from now()) * 1000)::bigint - n * 50), 12, '0') || '7000' ||
        '8' || lpad(to_hex(n), 15, '0'))::uuid, 'default', (array['replay', 'classify', 'orchestra'])[1 + n % 3],
      (array['succeeded', 'succeeded', 'succeeded', 'queued', 'failed', 'scheduled'])[1 + n % 6],
      case when n % 6 = 4 then 'upstream answered 503' end, case when n % 50 = 0 then '{nightly}' else '{}' end::text[],
      '{"type":"fixed","ms":1,"max_ms":1}', 3
    from generate_series(1, ${rows}::int) n`
  await sql`
    insert into job_words select id, to_tsvector('simple', 'summarise ticket of customer') from jobs
    on conflict do nothing`
  await sql`vacuum analyze jobs, job_words`

  const found: Record<string, string[]> = {}
  for (const query of [
    'q=req-4711-abc',
    `q=${wanted}`,
    'tag=wanted',
    'kind=export',
    'q=summarise&limit=1',
    'q=nothing-like-that',
    'state=failed&kind=replay&limit=1',
    'state=cancelled',
    'tag=nightly&state=queued&limit=1',
  ]) {
    const { status, json } = await promptly(query, 1_000, () =>
      ask(one.app, `/api/queues/jobs/rows?${query}`, { headers: bearer(adminKey) }),
    )
    expect([query, status]).toEqual([query, 200])
    found[query] = json.items.map(({ id }: { id: string }) => id)
  }
  for (const query of ['q=req-4711-abc', `q=${wanted}`, 'tag=wanted', 'kind=export']) {
    expect([query, found[query]]).toEqual([query, [wanted]])
  }
  expect(found['q=nothing-like-that']).toEqual([])
  const { json } = await promptly('dead letters', 1_000, () =>
    ask(one.app, '/api/queues/jobs/dead-letters', { headers: bearer(adminKey) }),
  )
  expect(json.items[0]).toMatchObject({ error: 'upstream answered 503' })
}, 120_000)
