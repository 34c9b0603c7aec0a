import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { openReading } from '#capture'
import { tailStream } from '../../src/capture/reading/tail-stream.ts'
import { until } from '../support/until.ts'
import { type Fixture, openFixture } from './reading-support.ts'
import { called, quiet } from './store-support.ts'

setDefaultTimeout(60_000)

let fixture: Fixture
let origin: string

beforeAll(async () => {
  fixture = await openFixture({ heartbeatMs: 50 })
  const { server } = fixture.app.listen({ port: 0, hostname: '127.0.0.1', idleTimeout: 1 })
  origin = `http://127.0.0.1:${server?.port}`
})

afterAll(() => fixture.release())

type Event = { event: string; id: string | null; data: Record<string, unknown> }

type Follower = {
  events: Event[]
  comments: () => number
  ids: () => unknown[]
  ended: () => boolean
  leave: () => Promise<void>
}

async function follow(query = '', headers: Record<string, string> = {}): Promise<Follower> {
  const key = { authorization: `Bearer ${fixture.keys.a}` }
  const response = await fetch(`${origin}/api/tail?${query}`, { headers: { ...key, ...headers } })
  expect(response.status).toBe(200)
  return await followed(response)
}

/** Reads the stream in the background, from its `ready` on. */
async function followed(response: Response): Promise<Follower> {
  const events: Event[] = []
  let comments = 0
  let ended = false
  const reader = response.body?.getReader()
  const reading = (async () => {
    const decoder = new TextDecoder()
    let rest = ''
    for (;;) {
      const { value, done } = (await reader?.read()) ?? { value: undefined, done: true }
      if (done) break
      const blocks = (rest + decoder.decode(value, { stream: true })).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        if (block.startsWith(':')) comments++
        else events.push(eventOf(block))
      }
    }
    ended = true
  })().catch(() => {})
  await until('the first event', () => events.length > 0)
  return {
    events,
    comments: () => comments,
    ids: () => events.filter(({ event }) => event === 'exchange').map(({ data }) => data.id),
    ended: () => ended,
    async leave() {
      await reader?.cancel()
      await reading
    },
  }
}

function eventOf(block: string): Event {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? null
  return { event: field('event') ?? '', id: field('id'), data: JSON.parse(field('data') ?? 'null') }
}

function said(text: string, changes: Parameters<typeof called>[1] = {}) {
  const at = Date.now()
  return called({ messages: [`user: ${text}`] }, { at, ...changes, open: { tenant: 'a', ...changes.open } })
}

describe('the live tail', () => {
  test('tells what is stored, filtered, and nothing of another tenant', async () => {
    const all = await follow()
    const some = await follow('provider=openai&status=2xx')
    const mine = said('one')
    const other = said('two', { open: { provider: 'openai' } })
    await fixture.store([mine, said('of b', { open: { tenant: 'b' } }), other])
    await until('each has its own', () => all.ids().length === 2 && some.ids().length === 1)
    expect(all.events[0]).toMatchObject({ event: 'ready' })
    expect(all.ids()).toEqual([mine.open.id, other.open.id])
    expect(some.ids()).toEqual([other.open.id])
    expect(all.events[1]?.data).toMatchObject({ id: mine.open.id, tenant: 'a', model_asked: 'scripted-1' })
    await all.leave()
    await some.leave()
  })

  test('shows signs of life, past the idle limit of the server', async () => {
    const tail = await follow()
    await until('comments keep it open', () => tail.comments() > 40, 10_000)
    expect(tail.ended()).toBe(false)
    await tail.leave()
  })

  test('goes on from Last-Event-ID, missing nothing', async () => {
    const tail = await follow()
    const first = said('seen')
    await fixture.store([first])
    await until('the first has come', () => tail.ids().length === 1)
    await tail.leave()
    const id = tail.events.at(-1)?.id ?? ''
    const missed = [said('missed 1'), said('missed 2')]
    const late = said('long under way', { at: Date.now() - 600_000, end: { ended_at: Date.now() } })
    await fixture.store([...missed, late])
    const again = await follow('', { 'last-event-id': id })
    await until('what it missed has come', () => again.ids().length >= 3)
    expect(again.ids()).toEqual(expect.arrayContaining([...missed, late].map(({ open }) => open.id)))
    expect(again.ids()).not.toContain(first.open.id)
    expect(new Set(again.ids()).size).toBe(again.ids().length)
    await again.leave()
  })

  test('what is stored while it still reads the past comes once, and after that past', async () => {
    const reading = openReading(fixture.database.url, { log: quiet })
    const told = new Set<string>()
    const leave = await reading.tail.follow({
      onItems: (items) => {
        for (const { id } of items) told.add(id)
      },
      onEnd: () => {},
    })
    const store = async (text: string) => {
      const exchange = said(text)
      await fixture.store([exchange])
      await until(`${text} is told to all who follow`, () => told.has(exchange.open.id))
      return exchange
    }
    const seen = await store('seen')
    const missed = await store('missed')
    const early: string[] = []
    const slow: typeof reading.read = async (work) => {
      early.push((await store('in the past and told live')).open.id)
      const past = await reading.read(work)
      early.push((await store('too late for the past')).open.id)
      return past
    }
    const tail = await followed(
      await tailStream({
        reading: { ...reading, read: slow },
        filters: { tenant: 'a' },
        lastEventId: `${seen.end.ended_at}_${seen.open.id}`,
        check: () => {},
      }),
    )
    const after = await store('once it is live')
    await until('the last has come', () => tail.ids().includes(after.open.id))
    const ours = tail.ids().slice(tail.ids().indexOf(missed.open.id))
    expect(ours).toEqual([missed.open.id, ...early, after.open.id])
    await tail.leave()
    leave()
    await reading.close()
  })

  test('says when more was missed than it sends again', async () => {
    const long = Array.from({ length: 1_001 }, (_, n) => said(`bulk ${n}`))
    const before = Date.now()
    await fixture.store(long)
    const again = await follow('', { 'last-event-id': `${before}_${long[0]?.open.id}` })
    await until('all have come', () => again.ids().length >= 1_000)
    expect(again.events[1]).toMatchObject({ event: 'gap' })
    await again.leave()
  })

  test('a lost listening session loses nothing', async () => {
    const tail = await follow()
    const before = said('before')
    await fixture.store([before])
    await until('the one before has come', () => tail.ids().includes(before.open.id))
    await fixture.database.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'sluice-read' and datname = current_database() and query ilike 'listen%'`
    const after = said('while it was gone')
    await fixture.store([after])
    await until('the one after has come', () => tail.ids().includes(after.open.id), 20_000)
    expect(tail.ids().filter((id) => id === after.open.id).length).toBe(1)
    await tail.leave()
  })

  test('all followers of a process share one listening session', async () => {
    const tails = await Promise.all(Array.from({ length: 10 }, () => follow()))
    const [row] = await fixture.database.sql<{ sessions: number }[]>`
      select count(*)::int as sessions from pg_stat_activity
      where application_name = 'sluice-read' and datname = current_database() and query ilike 'listen%'`
    expect(row?.sessions).toBe(1)
    for (const tail of tails) await tail.leave()
  })

  test('ends when the key is revoked', async () => {
    const { access, database } = fixture
    const tail = await follow()
    await database.sql`update access_keys set revoked_at = now() where tenant = 'a' and 'replay' = any(scopes)`
    await access.refresh()
    await until('it is ended', () => tail.ended())
    expect(tail.events.at(-1)).toMatchObject({ event: 'closed', data: { reason: 'key-revoked' } })
    await database.sql`update access_keys set revoked_at = null`
    await access.refresh()
  })

  test('C13: a client that does not read is told and dropped, and blocks nobody', async () => {
    const reading = openReading(fixture.database.url, { log: quiet })
    const options = {
      reading,
      filters: { tenant: 'a' },
      lastEventId: null,
      check: () => {},
      bufferedAtMost: 20,
    }
    const stuck = await tailStream(options)
    const tail = await followed(await tailStream({ ...options, bufferedAtMost: 1_000 }))
    await fixture.store(Array.from({ length: 60 }, (_, n) => said(`flood ${n}`)))
    await until('all have come', () => tail.ids().length === 60)
    const left = await followed(stuck)
    await until('the one that left is ended', () => left.ended())
    expect(left.ids().length).toBeLessThan(25)
    expect(left.events.at(-1)).toMatchObject({ event: 'closed', data: { reason: 'too-slow' } })
    await tail.leave()
    await reading.close()
  })

  test('is ended by the gateway when it stops', async () => {
    const reading = openReading(fixture.database.url, { log: quiet })
    const filters = { tenant: null }
    const tail = await followed(await tailStream({ reading, filters, lastEventId: null, check: () => {} }))
    await reading.close()
    await until('it is ended', () => tail.ended())
    expect(tail.events.at(-1)).toMatchObject({ event: 'closed', data: { reason: 'gateway-stops' } })
  })

  test('HEAD opens no stream, and a bad filter is 400', async () => {
    const headers = { authorization: `Bearer ${fixture.keys.a}` }
    expect((await fetch(`${origin}/api/tail`, { method: 'HEAD', headers })).status).toBe(200)
    expect((await fetch(`${origin}/api/tail?status=9`, { headers })).status).toBe(400)
  })

  test('an EventSource may send its key in the query', async () => {
    const response = await fetch(`${origin}/api/tail?key=${fixture.keys.a}`)
    expect(response.status).toBe(200)
    await (await followed(response)).leave()
  })
})
