import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Answer } from '../../../src/mcp/wire/message.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { until } from '../../support/until.ts'
import { startGateway } from '../gateway.ts'
import { readEvents } from './events.ts'
import { openSocket } from './socket-client.ts'
import { modern, startEdge, type TestEdge } from './support.ts'

let database: TestDatabase
let edge: TestEdge

beforeAll(async () => {
  database = await testDatabase()
  edge = await startEdge({ database, edge: { streamsPerKey: 2, heartbeatMs: 20 } })
}, 40_000)

afterAll(async () => {
  await edge.stop()
  await database.drop()
})

const listen = modern('subscriptions/listen', { notifications: { toolsListChanged: true } })
const refused = {
  error: {
    code: -32600,
    message: expect.stringContaining('MCP_STREAMS_PER_KEY'),
    data: { reason: 'too-many-streams', limit: 2 },
  },
}

test('a key has so many streams at most, whatever their era; a stream that took over counts once', async () => {
  const session = await edge.session()
  const old = readEvents(await session.get())
  const subscription = await edge.post(listen.body, listen.headers)
  expect(subscription.status).toBe(200)

  const one = await edge.post(listen.body, listen.headers)
  expect([one.status, await one.json()]).toEqual([429, { jsonrpc: '2.0', ...refused, id: 1 }])
  const other = await (await edge.session()).get()
  expect([other.status, await other.json()]).toMatchObject([429, refused])
  const calls = modern('tools/list')
  expect((await edge.post(calls.body, calls.headers)).status).toBe(200)
  const another = await edge.post(listen.body, { ...listen.headers, authorization: 'Bearer sk-sluice-b' })
  expect(another.status).toBe(200)

  const again = await session.get()
  expect(again.status).toBe(200)
  await until('the first stream has ended', async () => (await old.block()) === null)
  expect((await (await edge.session()).get()).status).toBe(429)
  await readEvents(again).cancel()
  await subscription.body?.cancel()
  await until('there is room again', async () => {
    const answer = await edge.post(listen.body, listen.headers)
    await answer.body?.cancel()
    return answer.status === 200
  })
  await another.body?.cancel()
})

test('streams that are taken up again count, each once, be they from the record or of a call under way', async () => {
  const ends: (() => void)[] = []
  const recorded = Bun.randomUUIDv7()
  const other = await startEdge({
    ...{ database, edge: { streamsPerKey: 2 } },
    tools: {
      async steps({ notify }) {
        notify('notifications/progress', '{"progress":1}')
        return await new Promise<Answer>((resolve) => ends.push(() => resolve({ result: '{}' })))
      },
    },
    // Another gateway is at work on it.
    async eventsAfter() {
      await Bun.sleep(1) // as long as a look at the record
      const of = other.hops.find(({ open }) => open.rpc === 'tools/call')?.open.session ?? null
      return { sse: '', last: 0, final: false, ended: false, requestId: 1, keyId: 'a', session: of }
    },
  })
  const session = await other.session()
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'steps' } }
  const seen: string[] = []
  for (const id of [1, 2, 3]) {
    const events = readEvents(await session.post({ ...body, id }))
    seen.push((await events.next())?.id ?? '')
    await events.cancel()
  }
  const resume = (lastSeen = '') => session.get({ 'last-event-id': lastSeen })
  const first = await resume(seen[0])
  const second = await resume(`${recorded}_1`)
  expect([first.status, second.status]).toEqual([200, 200])
  const third = await resume(seen[2])
  expect([third.status, await third.json()]).toMatchObject([429, refused])
  expect((await resume(`${recorded}_1`)).status).toBe(429)
  const again = await resume(seen[0])
  expect(again.status).toBe(200)
  ends[0]?.()
  await again.text()
  expect((await resume(seen[2])).status).toBe(200)
  await second.body?.cancel()
  await until('there is room again', async () => (await resume(seen[1])).status === 200)
  for (const end of ends) end()
  await other.stop()
})

test('sockets count as well, and so does what listens on them', async () => {
  const gateway = await startGateway({ MCP_STREAMS_PER_KEY: '2' })
  const headers = { authorization: `Bearer ${gateway.adminKey}` }
  const connect = () => openSocket(`${gateway.url}/mcp/ws`, headers)
  const first = await connect()
  first.send(listen.body)
  expect(await first.next()).toMatchObject({ method: 'notifications/subscriptions/acknowledged' })
  first.send({ ...listen.body, id: 2 })
  expect(await first.next()).toMatchObject({ id: 2, ...refused })
  await expect(connect()).rejects.toThrow()
  first.close()
  await until('there is room again', async () => {
    const second = await connect().catch(() => null)
    second?.close()
    return second !== null
  })
  await gateway.stop()
}, 30_000)
