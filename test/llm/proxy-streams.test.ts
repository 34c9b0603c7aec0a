import { afterEach, expect, test } from 'bun:test'
import { until } from '../support/until.ts'
import type { Reply } from '../support/upstream.ts'
import { post, rawClient, type TestGateway, testGateway } from './proxy-support.ts'

let gateway: TestGateway
afterEach(() => gateway.stop())

const sse = { 'content-type': 'text/event-stream; charset=utf-8' }
const call = post('/v1/messages', '{"stream":true}')

/** A call under way whose upstream the test plays itself. */
async function played(
  options: Parameters<typeof testGateway>[1] = {},
  request = call,
): Promise<{ client: ReturnType<typeof rawClient>; reply: Reply }> {
  const { promise, resolve } = Promise.withResolvers<Reply>()
  gateway = await testGateway((reply) => resolve(reply), options)
  const client = rawClient(gateway.port, request)
  return { client, reply: await promise }
}

function idIn(text: string): string {
  return /sluice-exchange: (\S+)/i.exec(text)?.[1] ?? ''
}

/** A round trip: what happened on the gateway's sockets before it was seen when this resolves. */
async function aTurn(): Promise<void> {
  await (await fetch(`${gateway.url}/api/hello`)).text()
}

test('T11: each chunk reaches the client at once, pings and comments too', async () => {
  const { client, reply } = await played()
  await reply.head(200, sse)
  for (const frame of [
    'event: ping\ndata: {"type": "ping"}\n\n',
    ': a comment\n\n',
    'data: half a fra',
    'me\n\n',
  ]) {
    await reply.chunk(frame)
    await until('the frame at the client', () => client.text().endsWith(`${frame}\r\n`))
  }
  await reply.end()
  await until('the end', () => client.text().endsWith('0\r\n\r\n'))
  const record = await gateway.record(idIn(client.text()))
  expect(record.end).toMatchObject({ outcome: 'completed', status: 200 })
  expect(record.end.first_byte_at).toBeLessThan(record.end.ended_at)
})

test('T7: a character and a frame split over chunks pass as they are', async () => {
  const text = Buffer.from('data: {"text":"tschüß 🦀"}\n\n')
  gateway = await testGateway(async (reply) => {
    await reply.head(200, sse)
    for (const byte of text) await reply.chunk(Uint8Array.of(byte))
    await reply.end()
  })
  const response = await fetch(`${gateway.url}/v1/messages`, { method: 'POST', body: '{}' })
  expect(Buffer.from(await response.bytes()).equals(text)).toBe(true)
  expect(Buffer.from((await gateway.record(response)).response).equals(text)).toBe(true)
})

test('T6: an error in the stream after a 200 is passed on', async () => {
  const frames = 'data: {"choices":[]}\n\ndata: {"error":{"message":"boom","type":"server_error"}}\n\n'
  gateway = await testGateway(async (reply) => {
    await reply.head(200, sse)
    await reply.chunk(frames)
    await reply.end()
  })
  const response = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body: '{}' })
  expect(await response.text()).toBe(frames)
  expect(Buffer.from((await gateway.record(response)).response).toString()).toBe(frames)
})

test('the record is sealed before the client sees the end', async () => {
  gateway = await testGateway(async (reply) => {
    await reply.head(200, sse)
    await reply.chunk('data: 1\n\n')
    await reply.end()
  })
  for (let n = 1; n <= 50; n += 1) {
    const response = await fetch(`${gateway.url}/v1/messages`, { method: 'POST', body: '{}' })
    await response.text()
    expect(gateway.ledger().accepted).toBe(n)
  }
})

test('R10: where the upstream dies, the client’s stream breaks off there too, and what came is on record', async () => {
  const { client, reply } = await played()
  await reply.head(200, sse)
  await reply.chunk('data: 1\n\ndata: {"ha')
  await until('the chunk', () => client.text().includes('{"ha'))
  reply.cut()
  await client.closed
  expect(client.text()).not.toContain('0\r\n\r\n')
  const record = await gateway.record(idIn(client.text()))
  expect(record.end).toMatchObject({ outcome: 'upstream_gone', status: 200, error: 'ECONNRESET' })
  expect(Buffer.from(record.response).toString()).toBe('data: 1\n\ndata: {"ha')
})

test('R10: a body with a length that breaks off does so for the client, with the bytes that came', async () => {
  const { client, reply } = await played()
  await reply.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"half":')
  await aTurn()
  reply.cut()
  await client.closed
  expect(client.text()).toContain('{"half":')
  expect(client.text()).not.toContain('0\r\n\r\n')
  const record = await gateway.record(idIn(client.text()))
  expect(record.end).toMatchObject({ outcome: 'upstream_gone', status: 200 })
  expect(Buffer.from(record.response).toString()).toBe('{"half":')
})

test('R10: frames that are not HTTP end the stream as broken', async () => {
  const { client, reply } = await played()
  await reply.head(200, sse)
  await reply.chunk('data: 1\n\n')
  await reply.write('zz\r\nnot a chunk\r\n')
  await client.closed
  expect((await gateway.record(idIn(client.text()))).end.outcome).toBe('upstream_gone')
})

test('R10, R11: a client that hangs up in mid-stream cancels the upstream; what it got is on record', async () => {
  const { client, reply } = await played()
  await reply.head(200, sse)
  await reply.chunk('data: 1\n\n')
  await until('the chunk', () => client.text().includes('data: 1'))
  client.hangUp()
  await gateway.upstream.seen[0]?.closed
  const record = await gateway.record(idIn(client.text()))
  expect(record.end).toMatchObject({ outcome: 'client_gone', status: 200, error: null })
  expect(Buffer.from(record.response).toString()).toBe('data: 1\n\n')
  expect(gateway.underWay()).toBe(0)
})

test('R11: a client that hangs up before the answer cancels the upstream', async () => {
  gateway = await testGateway(() => {})
  const client = rawClient(gateway.port, call)
  const seen = await gateway.upstream.request(0)
  client.hangUp()
  await seen.closed
  await until('the record', () => gateway.records().length === 1)
  expect(gateway.records()[0]?.end).toMatchObject({ outcome: 'client_gone', status: null, error: null })
})

test.each([
  ['by the variable', { clientGone: 'finish' }, ''],
  ['by the request', {}, 'Sluice-On-Disconnect: finish\r\n'],
] as const)(
  'R11: or the answer is read to its end and stored, where asked %s',
  async (_, options, header) => {
    const { client, reply } = await played(options, post('/v1/messages', '{}', header))
    await reply.head(200, sse)
    await reply.chunk('data: 1\n\n')
    await until('the chunk', () => client.text().includes('data: 1'))
    client.hangUp()
    await aTurn()
    for (const frame of ['data: 2\n\n', 'data: 3\n\n']) await reply.chunk(frame)
    await reply.end()
    const record = await gateway.record(idIn(client.text()))
    expect(record.end).toMatchObject({ outcome: 'client_gone', error: null })
    expect(Buffer.from(record.response).toString()).toBe('data: 1\n\ndata: 2\n\ndata: 3\n\n')
  },
)

test('R11: finished too where the client left before the answer began', async () => {
  const { client, reply } = await played({ clientGone: 'finish' })
  client.hangUp()
  await aTurn()
  await reply.head(200, sse)
  await reply.chunk('data: late\n\n')
  await reply.end()
  await until('the record', () => gateway.records().length === 1)
  const [record] = gateway.records()
  expect(record?.end.outcome).toBe('client_gone')
  expect(Buffer.from(record?.response ?? []).toString()).toBe('data: late\n\n')
})

test('an upstream that falls silent is given up after the idle limit', async () => {
  const { client, reply } = await played({ idleTimeoutMs: 300 })
  await reply.head(200, sse)
  await reply.chunk('data: 1\n\n')
  await client.closed
  await gateway.upstream.seen[0]?.closed
  const record = await gateway.record(idIn(client.text()))
  expect(record.end).toMatchObject({ outcome: 'upstream_timeout', error: 'idle-timeout' })
  expect(Buffer.from(record.response).toString()).toBe('data: 1\n\n')
})

test('a client that takes nothing holds its upstream back, and is given up after the idle limit', async () => {
  const chunk = Buffer.alloc(64 * 1024, 'x')
  let sent = 0
  gateway = await testGateway(
    async (reply, seen) => {
      let open = true
      void seen.closed.then(() => {
        open = false
      })
      await reply.head(200, sse)
      while (open && sent < 200 * 1024 * 1024) {
        await reply.chunk(chunk)
        sent += chunk.length
      }
    },
    { idleTimeoutMs: 400, maxBytes: 512 * 1024 * 1024 },
  )
  const client = rawClient(gateway.port, call)
  client.pause()
  const seen = await gateway.upstream.request(0)
  await seen.closed
  expect(sent).toBeLessThan(40 * 1024 * 1024)
  await until('the record', () => gateway.records().length === 1)
  expect(gateway.records()[0]?.end).toMatchObject({ outcome: 'client_gone', error: 'client-stalled' })
  client.hangUp()
})

test('200 slow streams at once: no frame lost, none mixed up', async () => {
  gateway = await testGateway(async (reply, seen) => {
    await reply.head(200, sse)
    for (let n = 0; n < 10; n += 1) {
      await reply.chunk(`data: ${seen.body} ${n}\n\n`)
      await Bun.sleep(10) // the pace of the stream
    }
    await reply.end()
  })
  const clients = Array.from({ length: 200 }, (_, n) =>
    rawClient(gateway.port, post('/v1/messages', `{"n":${n}}`)),
  )
  await until('all ends', () => clients.every((client) => client.text().endsWith('0\r\n\r\n')))
  for (const [n, client] of clients.entries()) {
    const frames = [...client.text().matchAll(/data: (\{"n":\d+\}) (\d)/g)].map(
      ([, body, at]) => `${body}${at}`,
    )
    expect(frames).toEqual(Array.from({ length: 10 }, (_, at) => `{"n":${n}}${at}`))
  }
  await until('all records', () => gateway.records().length === 200)
  expect(gateway.records().every(({ end }) => end.outcome === 'completed')).toBe(true)
})
