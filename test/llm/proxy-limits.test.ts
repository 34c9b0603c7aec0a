import { afterEach, expect, test } from 'bun:test'
import { until } from '../support/until.ts'
import { post, rawClient, type TestGateway, testGateway } from './proxy-support.ts'

let gateway: TestGateway
afterEach(() => gateway.stop())

test('silence of a client is bounded, that of a model is not', async () => {
  const limitPassed = Promise.withResolvers<void>()
  gateway = await testGateway(
    async (reply) => {
      await limitPassed.promise
      await reply.answer(200, {}, '{"thought":true}')
    },
    { serve: { idleTimeout: 2 }, clientIdleSeconds: 2 },
  )
  const started = performance.now()
  const thinking = rawClient(gateway.port, post('/v1/messages', '{}'))
  const stalledHead = rawClient(gateway.port, 'POST /v1/messages HTTP/1.1\r\nHost: x\r\nX-Slow: ')
  const stalledBody = rawClient(
    gateway.port,
    'POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{',
  )
  await Promise.all([stalledHead.closed, stalledBody.closed])
  expect(performance.now() - started).toBeLessThan(14_000)
  limitPassed.resolve()
  await until('the answer', () => thinking.text().includes('{"thought":true}'))
  await until('the records', () => gateway.records().length === 2)
  expect(gateway.records().map(({ end }) => end.outcome)).toEqual(['client_gone', 'completed'])
  // The limit holds again for what comes next on the same connection.
  thinking.write('POST /v1/messages HTTP/1.1\r\n')
  expect(await thinking.closed).toBe('ended')
}, 40_000)

test('a bomb of headers is refused before it gets here, and nothing else is affected', async () => {
  gateway = await testGateway((reply) => reply.answer(200, {}, '{}'))
  for (const bomb of [`X-Big: ${'x'.repeat(20_000)}\r\n`, 'X-Many: 1\r\n'.repeat(5_000)]) {
    const client = rawClient(gateway.port, `GET /v1/models HTTP/1.1\r\nHost: x\r\n${bomb}\r\n`)
    await client.closed
    expect(client.text()).toStartWith('HTTP/1.1 431 ')
  }
  expect((await fetch(`${gateway.url}/v1/models`)).status).toBe(200)
  expect(gateway.upstream.seen.length).toBe(1)
})

test('two lengths, or a length and chunks, are refused: no request can be smuggled', async () => {
  gateway = await testGateway((reply) => reply.answer(200, {}, '{}'))
  for (const headers of [
    'Content-Length: 3\r\nContent-Length: 4',
    'Content-Length: 3\r\nTransfer-Encoding: chunked',
    'Content-Length: -1',
  ]) {
    const client = rawClient(gateway.port, `POST /v1/messages HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\nabc`)
    await client.closed
    expect(client.text()).toStartWith('HTTP/1.1 400 ')
  }
  expect(gateway.upstream.seen).toEqual([])
})

test('a client that hangs up in the middle of its own body: the upstream is dropped, what came is on record', async () => {
  gateway = await testGateway(() => {})
  const head = `POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Length: ${4 * 1024 * 1024}\r\n\r\n`
  const client = rawClient(gateway.port, `${head}${'x'.repeat(100_000)}`)
  await until('the connection', () => gateway.upstream.connections() === 1)
  client.hangUp()
  await until('the record', () => gateway.records().length === 1)
  const [record] = gateway.records()
  expect(record?.end).toMatchObject({ outcome: 'client_gone', status: null })
  expect(record?.request.length).toBeGreaterThan(0)
  await until('nothing under way', () => gateway.underWay() === 0)
})

test('an announced body that is far too large is refused at once, while the client still sends', async () => {
  gateway = await testGateway((reply) => reply.answer(200, {}, '{}'), { bodyMaxBytes: 1000 })
  const client = rawClient(
    gateway.port,
    'POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 900000000\r\n\r\nxx',
  )
  await until('the refusal', () => client.text().includes('request_too_large'))
  expect(client.text()).toStartWith('HTTP/1.1 413 ')
  client.hangUp()
})
