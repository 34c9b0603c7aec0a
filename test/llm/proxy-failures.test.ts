import { afterEach, expect, test } from 'bun:test'
import net from 'node:net'
import { gzipSync } from 'node:zlib'
import { SluiceError } from '#lib/errors'
import { freePort } from '../support/port.ts'
import { until } from '../support/until.ts'
import { rawClient, type TestGateway, testGateway } from './proxy-support.ts'

let gateway: TestGateway
afterEach(() => gateway.stop())

const ok = (reply: { answer(status: number, headers: object, body: string): unknown }) =>
  reply.answer(200, {}, '{}')

async function told(response: Response): Promise<{ status: number; error: { message: string } }> {
  const { error } = (await response.json()) as { error: { message: string } }
  return { status: response.status, error }
}

function call(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(gateway.url + path, { method: 'POST', body: '{}', ...init })
}

test('an unknown provider: 404 in the shape of the dialect, naming those that there are', async () => {
  gateway = await testGateway(ok)
  const response = await call('/p/nobody/v1/messages')
  const { status, error } = await told(response)
  expect([status, error]).toMatchObject([404, { type: 'not_found_error' }])
  expect(error.message).toContain('"nobody". Known are: anthropic, ')
  expect((await gateway.record(response)).end).toMatchObject({
    outcome: 'rejected',
    error: 'unknown-provider',
  })
})

test('a path that no dialect has gets problem JSON where the provider is unknown too', async () => {
  gateway = await testGateway(ok)
  const response = await call('/p/nobody/whatever')
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(response.status).toBe(404)
})

test('a provider that needs an address says which variable to set', async () => {
  gateway = await testGateway(ok)
  const { status, error } = await told(await call('/p/azure-openai/openai/deployments/x/chat/completions'))
  expect([status, error.message]).toEqual([502, expect.stringContaining('AZURE_OPENAI_BASE_URL')])
})

test('who is not let in: 401 in the shape of the dialect, counted and on record without content', async () => {
  const seen: string[] = []
  gateway = await testGateway(ok, {
    observe: ({ outcome, status, error }) => void seen.push(`${outcome} ${status} ${error}`),
    authenticate: () => {
      throw new SluiceError(401, 'key-revoked', 'This Sluice key was revoked: ask for a new one')
    },
  })
  const headers = { authorization: 'Bearer sk-sluice-old' }
  const shapes: [string, object][] = [
    ['/v1/messages', { type: 'error', error: { type: 'authentication_error' } }],
    ['/v1/chat/completions', { error: { type: 'authentication_error', code: 'key_revoked' } }],
    ['/v1beta/models/g:generateContent', { error: { code: 401, status: 'UNAUTHENTICATED' } }],
  ]
  for (const [path, shape] of shapes) {
    const response = await call(path, { headers, body: 'a secret prompt' })
    expect(response.status).toBe(401)
    const record = await gateway.record(response)
    expect((await response.json()) as object).toMatchObject(shape)
    expect(record.end).toMatchObject({ outcome: 'rejected', status: 401, error: 'key-revoked' })
    expect(record.request.length).toBe(0)
    expect(JSON.stringify(record.open)).not.toContain('sk-sluice-old')
  }
  expect(seen).toEqual(Array(3).fill('rejected 401 key-revoked'))
  expect(gateway.upstream.seen).toEqual([])
})

test('a body past the limit: 413 naming it, by its announced length', async () => {
  gateway = await testGateway(ok, { bodyMaxBytes: 1000 })
  const response = await call('/v1/messages', { body: 'x'.repeat(1001) })
  const { status, error } = await told(response)
  expect([status, error]).toMatchObject([413, { type: 'request_too_large' }])
  expect(error.message).toContain('1000 bytes')
  expect((await gateway.record(response)).end).toMatchObject({ outcome: 'rejected', error: 'body-too-large' })
  expect(gateway.upstream.seen).toEqual([])
  // The connection is good for the next call, or a new one is.
  expect((await call('/v1/messages')).status).toBe(200)
})

test('a body past the limit that announces no length: 413 as soon as it is too large', async () => {
  gateway = await testGateway(ok, { bodyMaxBytes: 100_000 })
  const client = rawClient(
    gateway.port,
    'POST /v1/messages HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n',
  )
  const chunk = 'x'.repeat(0x8000)
  const push = () => client.write(`8000\r\n${chunk}\r\n`)
  for (let n = 0; n < 5; n += 1) push()
  await until('the refusal', () => client.text().includes('request_too_large'))
  expect(client.text()).toStartWith('HTTP/1.1 413 ')
  client.hangUp()
  await until('the record', () => gateway.records().length === 1)
  expect(gateway.records()[0]?.end).toMatchObject({
    outcome: 'rejected',
    status: 413,
    error: 'body-too-large',
  })
  await until('nothing under way', () => gateway.underWay() === 0)
})

test('T9: a decompression bomb is 413 where the gateway must read it, and else the upstream’s to judge', async () => {
  const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024))
  const init = { headers: { 'content-encoding': 'gzip' }, body: bomb }
  gateway = await testGateway(ok, { caller: { capture: 'metadata' } })
  const response = await call('/v1/messages', init)
  expect((await told(response)).status).toBe(413)
  await gateway.stop()
  gateway = await testGateway(ok)
  expect((await call('/v1/messages', init)).status).toBe(200)
  expect(gateway.upstream.seen[0]?.body.equals(bomb)).toBe(true)
})

test('a certificate that does not verify: 502 saying so, and nothing was sent', async () => {
  gateway = await testGateway(ok, { secure: true })
  const response = await call('/v1/messages', { body: 'a secret prompt' })
  const { status, error } = await told(response)
  expect([status, error]).toMatchObject([502, { type: 'api_error' }])
  expect(error.message).toMatch(/certificate of https:\S+ does not verify: DEPTH_ZERO_SELF_SIGNED_CERT/)
  expect(gateway.upstream.seen).toEqual([])
  expect((await gateway.record(response)).end).toMatchObject({
    outcome: 'upstream_unreachable',
    error: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  })
})

test('an upstream that refuses connections, or has no address: 502 saying so', async () => {
  const port = freePort()
  const settings = {
    down: { baseUrl: `http://127.0.0.1:${port}` },
    lost: { baseUrl: 'http://no-such-host.invalid' },
  }
  gateway = await testGateway(ok, { settings })
  for (const [name, reason] of [
    ['down', 'ECONNREFUSED'],
    ['lost', 'ENOTFOUND'],
  ]) {
    const response = await call(`/p/${name}/v1/messages`)
    const { status, error } = await told(response)
    expect([status, error.message]).toEqual([502, expect.stringContaining(`${reason}`)])
    const { end } = await gateway.record(response)
    expect(end).toMatchObject({ outcome: 'upstream_unreachable', error: reason })
  }
})

test('an upstream that takes no connection is given up after the connect limit', async () => {
  const full = await silentPort()
  gateway = await testGateway(ok, {
    settings: { dark: { baseUrl: `http://127.0.0.1:${full.port}` } },
    connectTimeoutMs: 600,
  })
  const response = await call('/p/dark/v1/messages')
  const { status, error } = await told(response)
  expect([status, error.message]).toEqual([502, expect.stringContaining('within 600 ms')])
  expect((await gateway.record(response)).end).toMatchObject({
    outcome: 'upstream_unreachable',
    error: 'connect-timeout',
  })
  full.close()
})

test('a model that thinks for longer than the connect limit is waited for', async () => {
  gateway = await testGateway(
    async (reply) => {
      await Bun.sleep(900) // three times the limit
      await reply.answer(200, {}, '{"thought":true}')
    },
    { connectTimeoutMs: 300 },
  )
  expect(await (await call('/v1/messages')).text()).toBe('{"thought":true}')
})

test('an upstream that never answers: 504 after the idle limit', async () => {
  gateway = await testGateway(() => {}, { idleTimeoutMs: 300 })
  const response = await call('/v1/chat/completions')
  const { status, error } = await told(response)
  expect([status, error]).toMatchObject([504, { code: 'upstream_timeout' }])
  expect((await gateway.record(response)).end).toMatchObject({ outcome: 'upstream_timeout', status: 504 })
  await gateway.upstream.seen[0]?.closed
})

test.each([
  ['closes at once', ''],
  ['closes in its head', 'HTTP/1.1 200 OK\r\nx-a'],
  ['speaks something else', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
])('an upstream that %s: 502', async (_, bytes) => {
  gateway = await testGateway(async (reply) => {
    await reply.write(bytes)
    reply.cut()
  })
  const response = await call('/v1/messages')
  expect((await told(response)).status).toBe(502)
  expect((await gateway.record(response)).end.outcome).toBe('upstream_gone')
})

test('a POST whose kept connection died is not sent twice', async () => {
  let requests = 0
  gateway = await testGateway((reply) => {
    requests += 1
    return requests === 1 ? reply.answer(200, {}, '{}') : reply.cut()
  })
  expect((await call('/v1/messages')).status).toBe(200)
  expect((await call('/v1/messages')).status).toBe(502)
  expect(requests).toBe(2)
})

test('a body with GET, which Bun drops, is refused instead of sent without it', async () => {
  gateway = await testGateway(ok)
  const client = rawClient(gateway.port, 'GET /v1/models HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi')
  await until('the answer', () => client.text().includes('\r\n\r\n'))
  expect(client.text()).toContain('400 Bad Request')
  client.hangUp()
  expect(gateway.upstream.seen).toEqual([])
})

test('a record that is full: 503 naming the limit, and nothing is sent', async () => {
  gateway = await testGateway(ok, { maxBytes: 1, whenFull: 'block' })
  const { status, error } = await told(await call('/v1/messages'))
  expect([status, error]).toMatchObject([503, { type: 'api_error' }])
  expect(error.message).toContain('spool')
  expect(gateway.upstream.seen).toEqual([])
})

test('sluice-tags past their limits and an unknown sluice-on-disconnect are refused, saying why', async () => {
  gateway = await testGateway(ok)
  const tags = await told(await call('/v1/messages', { headers: { 'sluice-tags': 'a,<b>' } }))
  expect([tags.status, tags.error.message]).toEqual([400, expect.stringContaining('at most 16')])
  const word = await told(await call('/v1/messages', { headers: { 'sluice-on-disconnect': 'maybe' } }))
  expect(word.status).toBe(400)
})

test('what is under way when the gateway stops is cut, told and sealed', async () => {
  gateway = await testGateway(() => {})
  const response = call('/v1/messages').catch((error: unknown) => error)
  await gateway.upstream.request(0)
  await gateway.stop()
  await response
  expect(gateway.ledger()).toMatchObject({ open: 0, accepted: 1 })
})

/** A stopped process whose backlog (512, whatever Bun is asked for) is full: the kernel drops whoever knocks then. */
async function silentPort(): Promise<{ port: number; close: () => void }> {
  const script = `const server = require('node:net').createServer()
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port))`
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe' })
  const { value } = await child.stdout.getReader().read()
  const port = Number(new TextDecoder().decode(value))
  child.kill('SIGSTOP')
  const knocks = Array.from({ length: 700 }, () => net.connect(port, '127.0.0.1').on('error', () => {}))
  return {
    port,
    close() {
      for (const knock of knocks) knock.destroy()
      child.kill('SIGKILL')
    },
  }
}
