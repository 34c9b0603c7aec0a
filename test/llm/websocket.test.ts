import { afterEach, expect, test } from 'bun:test'
import type { Server, ServerWebSocket } from 'bun'
import { until } from '../support/until.ts'
import { rawClient, type TestGateway, type TestGatewayOptions, testGateway } from './proxy-support.ts'

type Peer = ServerWebSocket<{ headers: Headers; url: string }>

let gateway: TestGateway
let upstream: SocketUpstream | undefined
afterEach(async () => {
  await gateway.stop()
  await upstream?.server.stop(true)
  upstream = undefined
})

type SocketUpstream = {
  server: Server<{ headers: Headers; url: string }>
  peers: Peer[]
  got: (string | Buffer)[]
  closed: [code: number, reason: string][]
}

function socketUpstream(
  onMessage: (peer: Peer, message: string | Buffer) => void = () => {},
  greeting?: string,
): SocketUpstream {
  const peers: Peer[] = []
  const got: SocketUpstream['got'] = []
  const closed: SocketUpstream['closed'] = []
  const server = Bun.serve<{ headers: Headers; url: string }>({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request, server) => {
      const headers: Record<string, string> = {
        'x-codex-turn-state': 'state-1',
        'set-cookie': 'sluice_session=x',
      }
      const protocol = request.headers.get('sec-websocket-protocol')?.split(',').at(0)
      if (protocol) headers['sec-websocket-protocol'] = protocol
      const data = { headers: request.headers, url: request.url }
      return server.upgrade(request, { headers, data }) ? undefined : new Response('no')
    },
    websocket: {
      open: (peer) => {
        peers.push(peer)
        if (greeting !== undefined) peer.send(greeting)
      },
      message: (peer, message) => {
        got.push(message)
        onMessage(peer, message)
      },
      close: (_, code, reason) => void closed.push([code, reason]),
    },
  })
  upstream = { server, peers, got, closed }
  return upstream
}

async function behind(own: SocketUpstream, options: TestGatewayOptions = {}): Promise<void> {
  const settings = { openai: { baseUrl: `http://127.0.0.1:${own.server.port}`, apiKey: 'sk-server' } }
  gateway = await testGateway(() => {}, { settings, ...options })
}

type Client = {
  socket: WebSocket
  got: (string | Buffer)[]
  opened: Promise<void>
  closed: Promise<[code: number, reason: string]>
}

function client(path: string, options: Record<string, unknown> = {}): Client {
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}${path}`, options as never)
  const got: (string | Buffer)[] = []
  socket.onmessage = ({ data }) => void got.push(data)
  const opened = new Promise<void>((resolve) => {
    socket.onopen = () => resolve()
  })
  const closed = new Promise<[number, string]>((resolve) => {
    socket.onclose = ({ code, reason }) => resolve([code, reason])
  })
  return { socket, got, opened, closed }
}

const create = (n: number) => JSON.stringify({ type: 'response.create', input: `question ${n}` })
const created = '{"type":"response.created"}'
const delta = '{"type":"response.output_text.delta","delta":"\\"response.completed\\" is not the end"}'
const completed = '{"type":"response.completed","response":{"usage":{"input_tokens":1,"output_tokens":2}}}'

test('R9: each turn of a Responses WebSocket is an exchange of its own, sealed before its last event', async () => {
  const own = socketUpstream((peer) => {
    for (const event of [created, delta, completed]) peer.send(event)
  })
  await behind(own)
  const { socket, got, opened } = client('/v1/responses')
  await opened
  for (const n of [1, 2]) {
    socket.send(create(n))
    await until('the answer', () => got.length === 3 * n)
    expect(gateway.ledger().accepted).toBe(n)
  }
  expect(got).toEqual([created, delta, completed, created, delta, completed])
  socket.close()
  await until('the records', () => gateway.records().length === 2)
  for (const [at, record] of gateway.records().entries()) {
    expect(record.open).toMatchObject({ protocol: 'websocket', dialect: 'openai-responses', method: 'GET' })
    expect(record.end).toMatchObject({ outcome: 'completed', status: 101, error: null })
    expect(Buffer.from(record.request).toString()).toBe(create(at + 1))
    expect(Buffer.from(record.response).toString()).toBe([created, delta, completed].join('\n'))
  }
  await until('the close', () => own.closed.length === 1)
  expect(gateway.underWay()).toBe(0)
})

test('headers, query and subprotocol go up, and the upstream’s choice and headers come back', async () => {
  const own = socketUpstream()
  await behind(own)
  const { socket, opened } = client('/v1/realtime?model=gpt-realtime', {
    protocols: ['realtime', 'openai-beta.realtime-v1'],
    headers: { 'openai-beta': 'realtime=v1', authorization: 'Bearer sk-sluice-x', 'sluice-tags': 'voice' },
  })
  const head = new Promise<Headers>((resolve) => {
    socket.addEventListener('handshake', (event) => {
      const { rawHeaders } = (event as MessageEvent<{ rawHeaders: string[] }>).data
      const pairs = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? '']] : []))
      resolve(new Headers(pairs as [string, string][]))
    })
  })
  await opened
  expect(socket.protocol).toBe('realtime')
  expect((await head).get('x-codex-turn-state')).toBe('state-1')
  expect((await head).has('set-cookie')).toBe(false)
  expect((await head).get('sluice-exchange')).toMatch(/^[0-9a-f-]{36}$/)
  const { headers, url } = own.peers[0]?.data ?? { headers: new Headers(), url: '' }
  expect(url).toEndWith('/v1/realtime?model=gpt-realtime')
  expect(headers.get('authorization')).toBe('Bearer sk-server')
  expect(headers.get('openai-beta')).toBe('realtime=v1')
  expect(headers.has('sluice-tags')).toBe(false)
  socket.close(4001, 'bye')
  await until('the close', () => own.closed.length === 1)
  expect(own.closed).toEqual([[4001, 'bye']])
  await until('the record', () => gateway.records().length === 1)
})

test('elsewhere a connection is one exchange; text and bytes pass both ways as they are', async () => {
  const own = socketUpstream((peer, message) => peer.send(message))
  await behind(own)
  const { socket, got, opened } = client('/v1/realtime')
  await opened
  const sent = ['{"type":"session.update"}', Buffer.from([0, 255, 10, 128]), 'tschüß 🦀']
  for (const message of sent) socket.send(message)
  await until('the echoes', () => got.length === 3)
  expect(got).toEqual(sent)
  socket.close(1000, 'done')
  await until('the record', () => gateway.records().length === 1)
  const [record] = gateway.records()
  expect(record?.end).toMatchObject({ outcome: 'completed', status: 101 })
  const joined = Buffer.concat(
    sent.flatMap((message) => [Buffer.from('\n'), Buffer.from(message as string)]),
  ).subarray(1)
  expect(Buffer.from(record?.request ?? []).equals(joined)).toBe(true)
  expect(Buffer.from(record?.response ?? []).equals(joined)).toBe(true)
})

test.each([
  [
    401,
    'HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\ncontent-length: 14\r\n\r\n{"error":"no"}',
  ],
  [405, 'HTTP/1.1 405 Method Not Allowed\r\nallow: POST\r\ncontent-length: 0\r\n\r\n'],
  [426, 'HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\n\r\n'],
])('T10: an upgrade that the upstream refuses with %d is refused so at once', async (status, answer) => {
  gateway = await testGateway((reply) => reply.write(answer))
  const raw = rawClient(gateway.port, upgradeRequest('/v1/responses'))
  await until('the refusal', () => raw.text().includes('\r\n\r\n'))
  expect(raw.text()).toStartWith(`HTTP/1.1 ${status} `)
  if (status === 401) expect(raw.text()).toEndWith('{"error":"no"}')
  raw.hangUp()
  await until('the record', () => gateway.records().length === 1)
  expect(gateway.records()[0]?.end).toMatchObject({ outcome: 'upstream_error', status })
})

test('T10: without an upstream the refusal has the shape of the dialect, at once', async () => {
  gateway = await testGateway(() => {}, {
    settings: { openai: { baseUrl: 'http://127.0.0.1:1', apiKey: 'k' } },
  })
  const raw = rawClient(gateway.port, upgradeRequest('/v1/responses'))
  await until('the refusal', () => raw.text().includes('upstream_unreachable'))
  expect(raw.text()).toStartWith('HTTP/1.1 502 ')
  raw.hangUp()
  await until('the record', () => gateway.records().length === 1)
  expect(gateway.records()[0]?.end.outcome).toBe('upstream_unreachable')
})

test('R10: a client that hangs up in mid-turn closes the upstream; the turn so far is on record', async () => {
  const own = socketUpstream((peer) => void peer.send(created))
  await behind(own)
  const { socket, got, opened } = client('/v1/responses')
  await opened
  socket.send(create(1))
  await until('the first event', () => got.length === 1)
  socket.terminate()
  await until('the close', () => own.closed.length === 1)
  await until('the record', () => gateway.records().length === 1)
  expect(gateway.records()[0]?.end).toMatchObject({ outcome: 'client_gone', status: 101 })
  expect(Buffer.from(gateway.records()[0]?.response ?? []).toString()).toBe(created)
})

test('R10: an upstream that dies in mid-turn ends the client’s socket as abnormally', async () => {
  const own = socketUpstream((peer) => {
    peer.send(created)
    peer.terminate()
  })
  await behind(own)
  const { socket, got, opened, closed } = client('/v1/responses')
  await opened
  socket.send(create(1))
  expect((await closed)[0]).toBe(1006)
  expect(got).toEqual([created])
  await until('the record', () => gateway.records().length === 1)
  expect(gateway.records()[0]?.end).toMatchObject({ outcome: 'upstream_gone', error: 'closed-1006' })
})

test('the upstream’s close code and reason reach the client', async () => {
  const own = socketUpstream((peer) => peer.close(4029, 'too many'))
  await behind(own)
  const { socket, opened, closed } = client('/v1/realtime')
  await opened
  socket.send('x')
  expect(await closed).toEqual([4029, 'too many'])
})

test('a message of the upstream before the client is there waits for it', async () => {
  const own = socketUpstream(undefined, '{"type":"session.created"}')
  await behind(own)
  const { socket, got, opened } = client('/v1/realtime')
  await opened
  await until('the greeting', () => got.length === 1)
  socket.close()
})

test('a client that takes nothing holds its upstream back', async () => {
  const chunk = Buffer.alloc(256 * 1024, 'x')
  const own = socketUpstream()
  await behind(own, { maxBytes: 1024 ** 3 })
  const { socket, opened } = client('/v1/realtime')
  await opened
  socket.pause()
  await until('the peer', () => own.peers.length === 1)
  const [peer] = own.peers
  let sent = 0
  for (let still = 0; still < 20 && sent < 400; ) {
    if ((peer?.getBufferedAmount() ?? 0) > 0) still += 1
    else still = 0
    if (still === 0) {
      peer?.send(chunk)
      sent += 1
    }
    await Bun.sleep(2) // the pace of sending; 20 looks in a row at a full buffer end it
  }
  expect(sent).toBeLessThan(120)
  socket.resume()
  await until('the rest', () => peer?.getBufferedAmount() === 0)
  socket.close()
})

test('when the gateway stops, the turn is sealed and both sides are closed', async () => {
  const own = socketUpstream((peer) => void peer.send(created))
  await behind(own)
  const { socket, got, opened, closed } = client('/v1/responses')
  await opened
  socket.send(create(1))
  await until('the first event', () => got.length === 1)
  await gateway.stop()
  expect([1012, 1001, 1006]).toContain((await closed)[0])
  expect(gateway.ledger()).toMatchObject({ open: 0, accepted: 1 })
})

function upgradeRequest(path: string): string {
  const headers = [
    ...['Host: x', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ]
  return `GET ${path} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`
}
