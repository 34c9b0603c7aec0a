import { afterAll, beforeAll, expect, test } from 'bun:test'
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
