import { afterAll, beforeAll, expect, test } from 'bun:test'
import { newId } from '#lib/ids'
import { type JobsApp, openJobsApp } from './http.ts'

let one: JobsApp
beforeAll(async () => {
  one = await openJobsApp()
}, 60_000)
afterAll(() => one.close())

const echo = (text = 'hello') => ({ kind: 'echo', input: { text } })
const count = async () => {
  const [row] = await one.database.sql<[{ n: number }]>`select count(*)::int as n from jobs`
  return row.n
}

test('a job is taken with 202 and where it can be found', async () => {
  const answer = await one.ask('POST', '/api/jobs', {
    body: { ...echo(), priority: 5, tags: ['a', 'a', 'b'], ttl: 60 },
  })
  expect(answer.status).toBe(202)
  const { id } = answer.json as { id: string }
  expect(answer.headers.get('location')).toBe(`/api/jobs/${id}`)
  const shown = await one.ask('GET', `/api/jobs/${id}`)
  expect(shown.json).toMatchObject({
    id,
    kind: 'echo',
    state: 'queued',
    priority: 5,
    tags: ['a', 'b'],
    attempt: 0,
  })
  expect(shown.json).toMatchObject({ input: { bytes: 16, value: { text: 'hello' }, truncated: false } })
})

test('an input is stored as it was sent: NUL, half a character, order of members', async () => {
  const raw = '{"kind":"echo","input":{"z":1,"a":"x\\u0000y\\ud800","text":"é"}}'
  const { id } = (await one.ask('POST', '/api/jobs', { raw })).json as { id: string }
  expect((await one.ask('GET', `/api/jobs/${id}/input`)).text).toBe(
    '{"z":1,"a":"x\\u0000y\\ud800","text":"é"}',
  )
})

test('a number that would lose digits is refused with its path, and of a batch its item alone', async () => {
  const before = await count()
  const bad = '{"kind":"echo","input":{"rows":[{"id":1},{"id":12345678901234567890}]}}'
  const answer = await one.ask('POST', '/api/jobs', { raw: bad })
  expect([answer.status, await count()]).toEqual([422, before])
  expect(answer.json).toMatchObject({
    type: 'urn:sluice:problem:inexact-number',
    errors: [{ pointer: '/input/rows/1/id' }],
  })
  const good = '{"kind":"echo","input":{"id":"12345678901234567890","n":9007199254740992}}'
  for (const [raw, type] of [
    [`[${good},${bad},${good}]`, 'application/json'],
    [[good, bad, good].join('\n'), 'application/x-ndjson'],
  ] as const) {
    const { json } = await one.ask('POST', '/api/jobs/batch', { raw, headers: { 'content-type': type } })
    const { items } = json as Batch
    expect(items.map(({ status }) => status)).toEqual([202, 422, 202])
    expect(items[1]?.error).toMatchObject({ errors: [{ pointer: '/input/rows/1/id' }] })
    const id = items[2]?.job?.id
    expect((await one.ask('GET', `/api/jobs/${id}/input`)).text).toBe(good.slice(23, -1))
  }
})

test('of a key in `metadata` mode the search index holds tags, and no word of the input', async () => {
  const key = await one.key({ capture: 'metadata' })
  await one.ask('POST', '/api/jobs', { key, body: { ...echo('canary of an input'), tags: ['canary-tag'] } })
  const [row] = await one.database.sql<[{ words: string }]>`
    select w.words::text as words from job_words w join jobs j on j.id = w.job_id where 'canary-tag' = any(j.tags)`
  expect(row.words).toContain('canary-tag')
  expect(row.words).not.toContain('input')
})

test('wrong input is told with each field that is wrong and the schema of the kind', async () => {
  const body = {
    kind: 'http-request',
    input: { method: 'LOOK', path: '/api/keys', headers: { Authorization: 'x' } },
  }
  const answer = await one.ask('POST', '/api/jobs', { body })
  expect(answer.status).toBe(422)
  const problem = answer.json as {
    type: string
    errors: { pointer: string }[]
    schema: { type: string }
    kind: string
  }
  expect(problem.type).toBe('urn:sluice:problem:bad-input')
  expect(problem.errors.map(({ pointer }) => pointer).sort()).toEqual([
    '/input/headers',
    '/input/method',
    '/input/path',
  ])
  expect(problem).toMatchObject({ kind: 'http-request', schema: { type: 'object' } })
})

test('a path that leads out of the proxied ones is refused', async () => {
  for (const path of [
    '/p/../api/export',
    '/v1/%2e%2e/api/keys',
    '//evil.example/v1/x',
    '/p/\\..\\..\\api',
    'v1/x',
  ]) {
    const answer = await one.ask('POST', '/api/jobs', { body: { kind: 'http-request', input: { path } } })
    expect([path, answer.status]).toEqual([path, 422])
  }
})

test('an unknown kind is told with those that come near', async () => {
  const answer = await one.ask('POST', '/api/jobs', { body: { kind: 'http_requst' } })
  expect(answer.status).toBe(422)
  expect(answer.text).toContain('did you mean http-request?')
})

test.each([
  [{ ...echo(), run_at: '2020-01-01T00:00:00Z' }, '/run_at'],
  [{ ...echo(), run_at: '2120-01-01T00:00:00Z', delay: 1 }, '/run_at'],
  [{ ...echo(), priority: 1_000 }, '/priority'],
  [{ ...echo(), colour: 'red' }, '/colour'],
  [{ ...echo(), attempts: 0 }, '/attempts'],
  [{ ...echo(), tags: ['no spaces'] }, '/tags/0'],
  [{ ...echo(), concurrency_key: 'a\u0000b' }, '/concurrency_key'],
  [{ ...echo(), depends_on: [newId()] }, '/depends_on/0'],
  [{ ...echo(), depends_on: ['nobody'] }, '/depends_on/0'],
])('%j is refused', async (body, pointer) => {
  const before = await count()
  const answer = await one.ask('POST', '/api/jobs', { body })
  expect(answer.status).toBe(422)
  expect((answer.json as { errors: { pointer: string }[] }).errors.map((error) => error.pointer)).toEqual([
    pointer,
  ])
  expect(await count()).toBe(before)
})

test('what is no JSON, or too large, is refused with the limit', async () => {
  expect((await one.ask('POST', '/api/jobs', { raw: '{"kind":' })).status).toBe(400)
  const answer = await one.ask('POST', '/api/jobs', { body: echo('x'.repeat(9 * 1024 * 1024)) })
  expect(answer.status).toBe(413)
  expect(answer.text).toContain('limit')
})

test('a kind may need more than the scope to call', async () => {
  const key = await one.key({ scopes: ['call'] })
  const body = { kind: 'replay', input: { exchange_id: newId() } }
  expect((await one.ask('POST', '/api/jobs', { body, key })).status).toBe(403)
  const may = await one.key({ scopes: ['call', 'replay'] })
  expect((await one.ask('POST', '/api/jobs', { body, key: may })).status).toBe(202)
})

test('with an idempotency key the same request makes one job, and gets the same answer', async () => {
  const headers = { 'idempotency-key': 'one' }
  const first = await one.ask('POST', '/api/jobs', { body: echo(), headers })
  const before = await count()
  const again = await one.ask('POST', '/api/jobs', { body: echo(), headers })
  expect(again.status).toBe(202)
  expect(again.text).toBe(first.text)
  expect(again.headers.get('idempotent-replayed')).toBe('true')
  expect(await count()).toBe(before)
  const other = await one.ask('POST', '/api/jobs', { body: echo('other'), headers })
  expect(other.status).toBe(422)
  expect(other.text).toContain('idempotency-key-reused')
  expect(
    (await one.ask('POST', '/api/jobs', { body: echo(), headers: { 'idempotency-key': 'a b' } })).status,
  ).toBe(400)
})

test('of twenty requests at once with one key one is taken, the others are told that it is in flight', async () => {
  const before = await count()
  const asked = Array.from({ length: 20 }, () =>
    one.ask('POST', '/api/jobs', { body: echo(), headers: { 'idempotency-key': 'race' } }),
  )
  const statuses = (await Promise.all(asked)).map(({ status }) => status)
  expect(new Set(statuses)).toEqual(new Set([202, 409]))
  expect(await count()).toBe(before + 1)
})

test('two gateways with one key make one job', async () => {
  const other = await openJobsApp({ database: one.database })
  const before = await count()
  const headers = { 'idempotency-key': 'gateways' }
  const asked = [one, other].map((app) => app.ask('POST', '/api/jobs', { body: echo(), headers }))
  const answers = await Promise.all(asked)
  expect(answers.map(({ status }) => status)).toEqual([202, 202])
  expect(answers[0]?.text).toBe(answers[1]?.text ?? '')
  expect(await count()).toBe(before + 1)
  await other.close()
})

test('of fifty same requests at once over three gateways one makes the job, and all are told of that one', async () => {
  const others = await Promise.all([1, 2].map(() => openJobsApp({ database: one.database })))
  const apps = [one, ...others]
  const before = await count()
  const headers = { 'idempotency-key': 'fifty' }
  const asked = Array.from({ length: 50 }, (_, n) =>
    (apps[n % apps.length] ?? one).ask('POST', '/api/jobs', { body: echo(), headers }),
  )
  const answers = await Promise.all(asked)
  const taken = answers.filter(({ status }) => status === 202)
  expect(new Set(taken.map(({ text }) => text)).size).toBe(1)
  expect(taken.filter((answer) => !answer.headers.has('idempotent-replayed')).length).toBe(1)
  expect(answers.filter(({ status }) => status !== 202 && status !== 409)).toEqual([])
  expect(await count()).toBe(before + 1)
  for (const other of others) await other.close()
})

test('another tenant may use the same key', async () => {
  await one.database.sql`insert into tenants (id, name) values ('apart', 'Apart')`
  const key = await one.key({ tenant: 'apart' })
  const headers = { 'idempotency-key': 'one' }
  const answer = await one.ask('POST', '/api/jobs', { body: echo('of mine'), headers, key })
  expect(answer.status).toBe(202)
  expect(answer.headers.get('idempotent-replayed')).toBeNull()
})

type Batch = {
  accepted: number
  refused: number
  items: { index: number; status: number; job?: { id: string; state: string }; error?: { type: string } }[]
}

test('of a batch each item has its own answer', async () => {
  const body = [echo('a'), { kind: 'nothing' }, echo('b'), 7]
  const { status, json } = await one.ask('POST', '/api/jobs/batch', { body })
  expect(status).toBe(200)
  const batch = json as Batch
  expect(batch).toMatchObject({ accepted: 2, refused: 2 })
  expect(batch.items.map((item) => item.status)).toEqual([202, 422, 202, 422])
})

test('a batch may come as lines, of which one may be broken', async () => {
  const raw = `${JSON.stringify(echo())}\n{"kind":\n\n${JSON.stringify(echo())}\n`
  const headers = { 'content-type': 'application/x-ndjson' }
  const batch = (await one.ask('POST', '/api/jobs/batch', { raw, headers })).json as Batch
  expect(batch.items.map((item) => item.status)).toEqual([202, 400, 202])
})

test('a batch sent again makes no further job', async () => {
  const headers = { 'idempotency-key': 'batch' }
  const body = [echo('a'), { ...echo('b'), idempotency_key: 'own' }, echo('c')]
  const first = (await one.ask('POST', '/api/jobs/batch', { body, headers })).json as Batch
  const before = await count()
  const again = (await one.ask('POST', '/api/jobs/batch', { body, headers })).json as Batch
  expect(again).toEqual(first)
  expect(await count()).toBe(before)
})

test('a flow: items name each other, in any order, and others that depend on a bad one are refused', async () => {
  const body = [
    { ...echo('last'), ref: 'last', depends_on: ['left', 'right'] },
    { ...echo('left'), ref: 'left', depends_on: ['first'] },
    { ...echo('right'), ref: 'right', depends_on: ['first'] },
    { ...echo('first'), ref: 'first' },
    { kind: 'nothing', ref: 'bad' },
    { ...echo('lost'), depends_on: ['bad'] },
    { ...echo('round'), ref: 'x', depends_on: ['y'] },
    { ...echo('about'), ref: 'y', depends_on: ['x'] },
    { ...echo('self'), ref: 'me', depends_on: ['me'] },
  ]
  const headers = { 'idempotency-key': 'flow' }
  const batch = (await one.ask('POST', '/api/jobs/batch', { body, headers })).json as Batch
  expect(batch.items.map((item) => item.status)).toEqual([202, 202, 202, 202, 422, 422, 422, 422, 422])
  expect(batch.items.slice(0, 4).map((item) => item.job?.state)).toEqual([
    'waiting',
    'waiting',
    'waiting',
    'queued',
  ])
  expect(batch.items[5]?.error?.type).toContain('dependency-refused')
  expect(batch.items[6]?.error?.type).toContain('bad-flow')
  const [left] = await one.database
    .sql`select needs from job_dependencies where job_id = ${batch.items[1]?.job?.id ?? ''}`
  expect(left?.needs).toBe(batch.items[3]?.job?.id)
  const again = (await one.ask('POST', '/api/jobs/batch', { body, headers })).json as Batch
  expect(again.items.slice(0, 4)).toEqual(batch.items.slice(0, 4))
})

test('the document shows each kind with its own input', async () => {
  const { json } = await one.ask('GET', '/openapi.json')
  const document = JSON.stringify(json)
  for (const kind of ['http-request', 'replay', 'classify', 'export', 'orchestra'])
    expect(document).toContain(`"const":"${kind}"`)
  const { items } = (await one.ask('GET', '/api/jobs/kinds')).json as {
    items: { name: string; input: unknown }[]
  }
  expect(items.map(({ name }) => name)).toContain('http-request')
})
