import { afterAll, beforeAll, expect, test } from 'bun:test'
import { promptly } from '../support/promptly.ts'
import { until } from '../support/until.ts'
import { type JobsApp, openJobsApp } from './http.ts'
import { openRig, type Rig } from './support.ts'

/** A rig runs jobs, and an app on the same database tells of them. */
let rig: Rig
let one: JobsApp
const gates = new Map<number, PromiseWithResolvers<void>>()

beforeAll(async () => {
  rig = await openRig('postgres', async (input, { log, progress, signal }) => {
    const { n } = input as { n: number }
    log('begun')
    progress(0.5, 'half')
    const stopped = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
    })
    await Promise.race([gates.get(n)?.promise, stopped])
    return n
  })
  one = await openJobsApp({ database: rig.database })
  await rig.worker()
}, 60_000)
afterAll(async () => {
  await one.close()
  await rig.close()
})

let next = 0
async function held(): Promise<{ id: string; finish: () => void }> {
  next += 1
  const gate = Promise.withResolvers<void>()
  gates.set(next, gate)
  return { id: await rig.add({ kind: 'scripted', input: { n: next } }), finish: gate.resolve }
}

type Event = { id: string; event: string; data: Record<string, unknown> }

/** Follows a job until the stream ends. */
async function follow(id: string, lastEventId?: number) {
  const headers = lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) }
  const { response } = await one.ask('GET', `/api/jobs/${id}/events`, {
    headers: headers as Record<string, string>,
  })
  let text = ''
  const ended = (async () => {
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? [])
      text += decoder.decode(chunk as Uint8Array, { stream: true })
  })()
  const events = () =>
    text.split('\n\n').flatMap((block): Event[] => {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? ''
      return field('event') === ''
        ? []
        : [{ id: field('id'), event: field('event'), data: JSON.parse(field('data')) }]
    })
  return { events, ended, text: () => text, response }
}

test('events come as they happen, numbered, and end with the job', async () => {
  const { id, finish } = await held()
  const stream = await follow(id)
  await until('progress is told', () => stream.events().some(({ event }) => event === 'progress'))
  expect(stream.events().at(0)).toMatchObject({ id: '0', event: 'state', data: { state: 'queued' } })
  finish()
  await stream.ended
  const events = stream.events()
  expect(events.map(({ event }) => event)).toEqual(['state', 'state', 'log', 'progress', 'state', 'end'])
  expect(events.map((event) => event.id)).toEqual(['0', '1', '2', '3', '4', ''])
  expect(events.at(-2)?.data).toMatchObject({ state: 'succeeded', attempt: 1 })
  expect(events.at(-1)?.data).toEqual({ state: 'succeeded' })
})

test('a client that comes back goes on after what it saw, and is told 204 when it saw all', async () => {
  const { id, finish } = await held()
  finish()
  await rig.becomes(id, 'succeeded')
  const stream = await follow(id, 2)
  await stream.ended
  expect(stream.events().map((event) => event.id)).toEqual(['3', '4', ''])
  expect((await one.ask('GET', `/api/jobs/${id}/events`, { headers: { 'last-event-id': '4' } })).status).toBe(
    204,
  )
})

test('a silent stream gives signs of life, and a client that leaves is forgotten', async () => {
  const { id, finish } = await held()
  const stream = await follow(id)
  await until('it gives signs of life', () => stream.text().includes(': still here'))
  finish()
  await stream.ended
})

test('fifty listeners cost one session of the database', async () => {
  const { id, finish } = await held()
  const sessions = async () => {
    const [row] = await rig.database.sql<[{ n: number }]>`
      select count(*)::int as n from pg_stat_activity where datname = current_database()`
    return row.n
  }
  const first = await follow(id)
  await until('it is told', () => first.events().length > 2)
  const before = await sessions()
  const streams = await Promise.all(Array.from({ length: 50 }, () => follow(id)))
  await until('all are told', () => streams.every(({ events }) => events().length > 2))
  expect(await sessions()).toBeLessThanOrEqual(before + 3)
  finish()
  await Promise.all(streams.map(({ ended }) => ended))
  for (const { events } of streams) expect(events().at(-1)?.event).toBe('end')
})

test('a running job is cancelled by another process within a second', async () => {
  const id = await promptly('a job that runs and is cancelled', 1_000, async () => {
    const { id } = await held()
    await rig.becomes(id, 'running')
    const answer = await one.ask('POST', `/api/jobs/${id}/cancel`, { body: { reason: 'enough' } })
    expect(answer.json).toEqual({ id, state: 'running' } as never)
    await rig.becomes(id, 'cancelled')
    return id
  })
  const [attempt] = await rig.database.sql`select outcome from job_attempts where job_id = ${id}`
  expect(attempt?.outcome).toBe('cancelled')
})
