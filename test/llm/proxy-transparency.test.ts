import { afterEach, expect, test } from 'bun:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { post, rawClient, type TestGateway, testGateway } from './proxy-support.ts'

let gateway: TestGateway
afterEach(() => gateway.stop())

const json = { 'content-type': 'application/json' }

test('T1: bytes out are bytes in, both ways, whatever they are, and both are on record', async () => {
  const odd = Buffer.from(
    '{"thinking":"","signature":"EuY=","a" : 1.0e2,\n"x":"\\u0000\\ud800"}\xff\xfe\x00',
    'latin1',
  )
  const answer = Buffer.from(
    '{"content":[{"type":"thinking","thinking":"","signature":"q"}]}\xff\x00',
    'latin1',
  )
  gateway = await testGateway((reply) => reply.answer(200, json, answer))
  const response = await fetch(`${gateway.url}/v1/messages`, { method: 'POST', body: odd })
  expect(Buffer.from(await response.bytes()).equals(answer)).toBe(true)
  expect(gateway.upstream.seen[0]?.body.equals(odd)).toBe(true)
  const record = await gateway.record(response)
  expect(Buffer.from(record.request).equals(odd)).toBe(true)
  expect(Buffer.from(record.response).equals(answer)).toBe(true)
  expect(record.end).toMatchObject({ outcome: 'completed', status: 200, error: null })
})

test('T3, T4: every header goes on, known or not, but for those of the connection and our own', async () => {
  gateway = await testGateway((reply) => reply.answer(200, json, '{}'))
  const sent = [
    'Anthropic-Beta: context-1m-2025-08-07,future-feature-2031-01-01',
    'X-Unheard-Of: caf\xe9 \t=1',
    'x-twice: a',
    'x-twice: b',
    'User-Agent: test/1',
    'Accept: application/json',
    'Accept-Encoding: gzip, br;q=0.5',
    'Content-Type: application/json',
    'Connection: keep-alive, X-Hop',
    'X-Hop: 1',
    'Keep-Alive: timeout=9',
    'TE: trailers',
    'Proxy-Connection: keep-alive',
    'Upgrade: h2c',
    'Expect: 100-continue',
    'Sluice-Tags: a,b',
    'Sluice-Key: sk-sluice-x',
    'X-Forwarded-For: 10.0.0.1',
  ]
  const client = rawClient(gateway.port, post('/v1/messages?beta=true', '{}', `${sent.join('\r\n')}\r\n`))
  const seen = await gateway.upstream.request(0)
  client.hangUp()
  const arrived = Object.fromEntries(seen.headers.map(([name, value]) => [name.toLowerCase(), value]))
  expect(arrived).toEqual({
    'anthropic-beta': 'context-1m-2025-08-07,future-feature-2031-01-01',
    'x-unheard-of': 'caf\xe9 \t=1',
    'x-twice': 'a, b',
    'user-agent': 'test/1',
    accept: 'application/json',
    'accept-encoding': 'gzip, br;q=0.5',
    'content-type': 'application/json',
    'x-forwarded-for': '10.0.0.1',
    // What the gateway and its connection bring along.
    'x-api-key': 'sk-server-side-key',
    connection: 'keep-alive',
    host: `127.0.0.1:${gateway.upstream.port}`,
    'content-length': '2',
  })
})

test('no accept-encoding is added for a client that sends none', async () => {
  gateway = await testGateway((reply) => reply.answer(200, json, '{}'))
  rawClient(gateway.port, post('/v1/messages', '{}', 'User-Agent: x\r\nAccept: */*\r\n'))
  const seen = await gateway.upstream.request(0)
  expect(seen.header('accept-encoding')).toBeUndefined()
})

test('the query goes on as it was sent', async () => {
  gateway = await testGateway((reply) => reply.answer(200, json, '{}'))
  const query = 'beta=true&a=%20b+c&&x=%zz&list[]=1&e=&=f&pipe=a|b^c&brace={}'
  rawClient(gateway.port, `GET /v1/models?${query} HTTP/1.1\r\nHost: x\r\n\r\n`)
  expect((await gateway.upstream.request(0)).path).toBe(`/v1/models?${query}`)
})

test('any method goes on, and its answer comes back', async () => {
  gateway = await testGateway((reply, seen) => reply.answer(200, { 'x-method': seen.method }, ''))
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
    const response = await fetch(`${gateway.url}/p/openai/v1/files/f-1`, { method })
    expect([response.status, response.headers.get('x-method')]).toEqual([200, method])
  }
})

test('status and headers come back as they were, several cookies too; only our exchange id is added', async () => {
  gateway = await testGateway((reply) =>
    reply.answer(
      529,
      {
        ...json,
        'request-id': 'req_1',
        'retry-after': '7',
        'set-cookie': ['a=1; Path=/', 'b=2'],
        date: 'Mon, 01 Jan 2024 00:00:00 GMT',
        server: 'cloudflare',
        'x-latin': 'caf\xe9',
        connection: 'x-hop',
        'x-hop': '1',
      },
      '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
    ),
  )
  const client = rawClient(gateway.port, post('/v1/messages', '{}', 'Connection: close\r\n'))
  await client.closed
  const [head = '', body] = client.text().split('\r\n\r\n')
  const [first, ...headers] = head.split('\r\n')
  const id = /sluice-exchange: (\S+)/i.exec(head)?.[1] ?? ''
  expect(first).toStartWith('HTTP/1.1 529 ')
  expect(headers.map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase())).sort()).toEqual(
    [
      'connection: close',
      'content-length: 75',
      'content-type: application/json',
      'date: Mon, 01 Jan 2024 00:00:00 GMT',
      'request-id: req_1',
      'retry-after: 7',
      'server: cloudflare',
      'set-cookie: a=1; Path=/',
      'set-cookie: b=2',
      `sluice-exchange: ${id}`,
      'x-latin: caf\xe9',
    ].filter((line) => head.toLowerCase().includes('connection: close') || !line.startsWith('connection')),
  )
  expect(body).toContain('overloaded_error')
  const record = await gateway.record(id)
  expect(record.end).toMatchObject({ outcome: 'upstream_error', status: 529, error: null })
  expect(record.end.response_headers).not.toContainEqual(['set-cookie', expect.anything()])
})

test('T11: an error body, its status and retry-after are not touched', async () => {
  const body =
    '{"error":{"message":"Rate limit","type":"requests","param":null,"code":"rate_limit_exceeded"}}'
  gateway = await testGateway((reply) => reply.answer(429, { ...json, 'retry-after': '20' }, body))
  const response = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body: '{}' })
  expect([response.status, response.headers.get('retry-after'), await response.text()]).toEqual([
    429,
    '20',
    body,
  ])
})

test('answers without a body keep their heads', async () => {
  const heads: Record<string, string> = {
    '/v1/files/204': 'HTTP/1.1 204 No Content\r\nx-a: 1\r\n\r\n',
    '/v1/files/304': 'HTTP/1.1 304 Not Modified\r\netag: "e"\r\ncontent-length: 55\r\n\r\n',
    '/v1/files/head': 'HTTP/1.1 200 OK\r\ncontent-type: text/x\r\ncontent-length: 77\r\n\r\n',
    '/v1/files/empty': 'HTTP/1.1 200 OK\r\ncontent-type: text/x\r\ncontent-length: 0\r\n\r\n',
    '/v1/files/early':
      'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
  }
  gateway = await testGateway((reply, seen) => reply.write(heads[seen.path] ?? ''))
  const no = await fetch(`${gateway.url}/v1/files/204`)
  expect([no.status, no.headers.get('x-a'), await no.text()]).toEqual([204, '1', ''])
  const same = await fetch(`${gateway.url}/v1/files/304`)
  expect([same.status, same.headers.get('etag')]).toEqual([304, '"e"'])
  const head = await fetch(`${gateway.url}/v1/files/head`, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length'), head.headers.get('content-type')]).toEqual([
    200,
    '77',
    'text/x',
  ])
  const empty = await fetch(`${gateway.url}/v1/files/empty`)
  expect([empty.status, empty.headers.get('content-length'), await empty.text()]).toEqual([200, '0', ''])
  const early = await fetch(`${gateway.url}/v1/files/early`)
  expect([early.status, await early.text()]).toEqual([200, 'ok'])
})

test('a redirect is the client’s to follow', async () => {
  gateway = await testGateway((reply) => reply.answer(302, { location: 'http://127.0.0.1:1/x' }))
  const response = await fetch(`${gateway.url}/v1/files/f/content`, { redirect: 'manual' })
  expect([response.status, response.headers.get('location')]).toEqual([302, 'http://127.0.0.1:1/x'])
  expect(gateway.upstream.seen.length).toBe(1)
})

test('a compressed answer stays as it is, with its encoding and length; one without a type gets none', async () => {
  const packed = gzipSync('{"a":1}')
  gateway = await testGateway((reply) => reply.answer(200, { 'content-encoding': 'gzip' }, packed))
  const client = rawClient(gateway.port, post('/v1/messages', '{}', 'Connection: close\r\n'))
  await client.closed
  const [head = ''] = client.text().split('\r\n\r\n')
  expect(head).toMatch(/content-encoding: gzip/i)
  expect(head).toMatch(new RegExp(`content-length: ${packed.length}(\r|$)`, 'i'))
  expect(head).not.toMatch(/content-type/i)
  const id = /sluice-exchange: (\S+)/i.exec(head)?.[1] ?? ''
  expect(Buffer.from((await gateway.record(id)).response).equals(packed)).toBe(true)
})

test('T9: compressed request bodies go on as they were sent and are on record so', async () => {
  gateway = await testGateway((reply) => reply.answer(200, json, '{}'))
  const text = JSON.stringify({ model: 'gpt-5', input: 'x'.repeat(5_000) })
  for (const [encoding, body] of [
    ['zstd', zstdCompressSync(text)],
    ['gzip', gzipSync(text)],
  ] as const) {
    const headers = { 'content-encoding': encoding }
    const response = await fetch(`${gateway.url}/v1/responses`, { method: 'POST', headers, body })
    const seen = gateway.upstream.seen.at(-1)
    expect(seen?.header('content-encoding')).toBe(encoding)
    expect(seen?.body.equals(body)).toBe(true)
    expect(Buffer.from((await gateway.record(response)).request).equals(body)).toBe(true)
  }
})

test('a large body streams on with its length, a chunked one chunked; both are on record whole', async () => {
  gateway = await testGateway((reply) => reply.answer(200, json, '{}'))
  const large = Buffer.alloc(3 * 1024 * 1024, 'large body ')
  const sized = await fetch(`${gateway.url}/v1/files`, { method: 'POST', body: large })
  expect(gateway.upstream.seen[0]?.header('content-length')).toBe(String(large.length))
  expect(gateway.upstream.seen[0]?.body.equals(large)).toBe(true)
  expect(Buffer.from((await gateway.record(sized)).request).equals(large)).toBe(true)

  const chunked = await fetch(`${gateway.url}/v1/files`, {
    method: 'POST',
    body: new ReadableStream({
      async pull(controller) {
        controller.enqueue(Buffer.from('first '))
        await Promise.resolve()
        controller.enqueue(Buffer.from('second'))
        controller.close()
      },
    }),
  })
  const seen = gateway.upstream.seen[1]
  expect([seen?.header('content-length'), String(seen?.body)]).toEqual([undefined, 'first second'])
  expect(Buffer.from((await gateway.record(chunked)).request).toString()).toBe('first second')
})

test('malformed JSON is for the upstream to judge', async () => {
  gateway = await testGateway((reply) => reply.answer(400, json, '{"error":"bad json"}'))
  const response = await fetch(`${gateway.url}/v1/messages`, { method: 'POST', body: '{"model":' })
  expect([response.status, await response.text()]).toEqual([400, '{"error":"bad json"}'])
  expect(String(gateway.upstream.seen[0]?.body)).toBe('{"model":')
})

test('calls reuse connections to the upstream', async () => {
  gateway = await testGateway((reply) => reply.answer(200, json, '{"a":1}'))
  for (let n = 0; n < 20; n += 1) {
    await (await fetch(`${gateway.url}/v1/messages`, { method: 'POST', body: '{}' })).text()
  }
  expect(gateway.upstream.connections()).toBe(1)
  expect(gateway.underWay()).toBe(0)
})
