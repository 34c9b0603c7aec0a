import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Gate, openGate } from '../support/gate.ts'
import { promptly } from '../support/promptly.ts'
import { until } from '../support/until.ts'
import { type JobsApp, openJobsApp } from './http.ts'

/** A gateway's jobs whose database can be shut and frozen. */
let one: JobsApp
let gate: Gate

beforeAll(async () => {
  one = await openJobsApp({
    through(url) {
      gate = openGate(Number(new URL(url).port))
      return url.replace(/:\d+\//, `:${gate.port}/`)
    },
  })
}, 60_000)
afterAll(async () => {
  await one.close()
  gate.close()
})

const submit = (headers: Record<string, string> = {}) =>
  one.ask('POST', '/api/jobs', { body: { kind: 'echo' }, headers })

test('Q1: while the database is down or hangs, a submission is told so within a second, and after it works at once', async () => {
  expect((await submit()).status).toBe(202)
  for (const [away, back] of [
    [gate.shut, gate.open],
    [gate.freeze, gate.thaw],
  ] as const) {
    away()
    const answers = await promptly('fifty submissions', 1_200, () =>
      Promise.all(Array.from({ length: 50 }, () => submit())),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]))
    expect(answers[0]?.headers.get('retry-after')).toBe('1')
    back()
    await until('submissions are taken again', async () => (await submit()).status === 202)
  }
}, 60_000)

test('a request that was answered 503 can be sent again with its key, and makes one job', async () => {
  const headers = { 'idempotency-key': 'again' }
  gate.freeze()
  expect((await submit(headers)).status).toBe(503)
  gate.thaw()
  await until('it is taken', async () => (await submit(headers)).status === 202)
  const [row] = await one.database.sql<[{ n: number }]>`
    select count(*)::int as n from jobs where id in (select job_id from job_idempotency where key = 'again')`
  expect(row.n).toBe(1)
})
