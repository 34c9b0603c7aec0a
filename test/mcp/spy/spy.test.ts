import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { SpoolFullError } from '#capture'
import { until } from '../../support/until.ts'
import { type Backend, openBackend, openSpyWorld, type SpyWorld, spyClient } from './support.ts'

setDefaultTimeout(60_000)

let backend: Backend
let world: SpyWorld | undefined

afterEach(async () => {
  await world?.stop()
  world = undefined
  await backend.stop()
})

async function stored(count: number): Promise<void> {
  await until(`${count} are stored`, () => (world?.spool.ledger().stored ?? 0) >= count, { ms: 15_000 })
}

const call =
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"dig","arguments":{"for":"truffles"},"_meta":{"claudecode/toolUseId":"toolu_9"}}}'
const answer = '{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"two truffles"}]}}'

test('every frame passes untouched, and is on record with its order and its time', async () => {
  backend = openBackend({
    onMessage: (peer, message) => peer.send(message === call ? answer : message),
  })
  world = await openSpyWorld(backend)
  const { socket, got, opened, closed } = spyClient(world.url, { protocols: ['other', 'mcp'] })
  await opened
  expect(socket.protocol).toBe('mcp')
  socket.send(' {"jsonrpc": "2.0",\n"method":"x","big":12345678901234567890}')
  socket.send(new Uint8Array([0, 255, 128]))
  socket.send(call)
  await until('all came back', () => got.length === 3)
  expect(got[0]).toBe(' {"jsonrpc": "2.0",\n"method":"x","big":12345678901234567890}')
  expect([...(got[1] as Buffer)]).toEqual([0, 255, 128])
  expect(got[2]).toBe(answer)
  ;(socket as unknown as { ping(data: string): void }).ping('are you there')
  await until('the ping came through', () => backend.pings.includes('are you there'))
  socket.close(4321, 'enough')
  await closed
  await until('the backend heard of it', () => backend.closed.length === 1)
  expect(backend.closed).toEqual([[4321, 'enough']])
  await stored(2)
  const frames = await world.frames()
  const brief = frames.map(({ at: _, ...frame }) => frame)
  const first = ' {"jsonrpc": "2.0",\n"method":"x","big":12345678901234567890}'
  const ordered = brief.filter(({ from }) => from === 'client')
  expect(ordered.map(({ n: _, ...frame }) => frame)).toEqual([
    { from: 'client', text: first },
    { from: 'client', base64: 'AP+A' },
    { from: 'client', text: call },
    { from: 'client', ping: Buffer.from('are you there').toString('base64') },
    { from: 'client', close: 4321, reason: 'enough' },
  ])
  expect(brief.filter(({ from }) => from === 'server').map(({ text }) => text)).toEqual([
    first,
    undefined,
    answer,
  ])
  expect(brief.map(({ n }) => n)).toEqual(brief.map((_, at) => at + 1))
  expect(frames.every(({ at }, i) => at >= (frames[i - 1]?.at ?? 0))).toBe(true)
})

test('a call on a spied connection is an exchange and a turn of its own, at once', async () => {
  backend = openBackend({ onMessage: (peer) => peer.send(answer) })
  world = await openSpyWorld(backend, { pieceMs: 200 })
  const { socket, got, opened } = spyClient(world.url)
  await opened
  socket.send(call)
  await until('it is answered', () => got.length === 1)
  await stored(1)
  const [row] = await world.database.sql`
    select m.rpc, m.name, m.peer, m.tool_use, m.parent is not null as child, x.outcome, x.protocol, t.role, t.text
    from mcp_exchanges m join exchanges x on x.id = m.id join turns t on t.exchange_id = x.id`
  expect(row).toEqual({
    ...{ rpc: 'tools/call', name: 'dig', peer: 'remote', tool_use: 'toolu_9', child: true },
    ...{ outcome: 'completed', protocol: 'websocket', role: 'tool' },
    text: 'dig({"for":"truffles"})\ntwo truffles',
  })
  socket.send('{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}')
  await stored(2)
  socket.close()
})

test('what either side closes with, the other sees; what was not answered is told so', async () => {
  backend = openBackend({ onMessage: (peer) => peer.close(4000, 'no more') })
  world = await openSpyWorld(backend)
  const { socket, opened, closed } = spyClient(world.url)
  await opened
  socket.send(call)
  expect(await closed).toEqual([4000, 'no more'])
  await stored(2)
  const rows = await world.database.sql`
    select m.rpc, x.outcome from mcp_exchanges m join exchanges x on x.id = m.id order by m.rpc nulls first`
  expect([...rows]).toEqual([
    { rpc: null, outcome: 'completed' },
    { rpc: 'tools/call', outcome: 'upstream_gone' },
  ])
  expect(world.spy.count()).toBe(0)
})

test('credentials of the client stay here, and those of the row go there', async () => {
  backend = openBackend()
  world = await openSpyWorld({ ...backend, headers: { authorization: 'Bearer theirs' } })
  const { socket, opened } = spyClient(world.url, {
    headers: { authorization: 'Bearer ours', cookie: 'a=b', 'sluice-tags': 't', 'x-other': 'kept' },
  })
  await opened
  const sent = backend.peers[0]?.data.headers
  expect(sent?.get('authorization')).toBe('Bearer theirs')
  expect([sent?.get('cookie'), sent?.get('sluice-tags'), sent?.get('x-other')]).toEqual([null, null, 'kept'])
  socket.close()
})

test('a backend that refuses is seen to refuse; one that is not there is 502, one that is silent 504', async () => {
  backend = openBackend({ refuse: () => new Response('not today', { status: 403 }) })
  world = await openSpyWorld(backend, { connectMs: 200 })
  const ask = (url: string) => fetch(url.replace('ws', 'http'), { headers: upgrade })
  const refused = await ask(world.url)
  expect([refused.status, await refused.text()]).toEqual([403, 'not today'])
  expect((await fetch(world.url.replace('ws', 'http'))).status).toBe(426)
  await stored(1)
  await world.stop()

  world = await openSpyWorld({ url: 'ws://127.0.0.1:1/' })
  expect((await ask(world.url)).status).toBe(502)
  await stored(1)
  expect([...(await world.database.sql`select outcome, error from exchanges`)]).toEqual([
    { outcome: 'upstream_unreachable', error: 'backend-unreachable' },
  ])
  await world.stop()

  const silent = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  world = await openSpyWorld({ url: `ws://127.0.0.1:${silent.port}/` }, { connectMs: 100 })
  expect((await ask(world.url)).status).toBe(504)
  silent.stop(true)
})

const upgrade = {
  ...{ connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' },
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

test('a backend on this machine is refused where the operator has not allowed it', async () => {
  backend = openBackend()
  world = await openSpyWorld(backend, { allowPrivate: false })
  const answer = await fetch(world.url.replace('ws', 'http'), { headers: upgrade })
  expect(answer.status).toBe(502)
  expect(await answer.text()).toContain('PRIVATE_ADDRESSES')
  expect(backend.peers).toHaveLength(0)
})

test('C13: a client that takes nothing holds its backend back, and memory with it', async () => {
  const chunk = 'x'.repeat(256 * 1024)
  let sent = 0
  backend = openBackend({
    onOpen(peer) {
      const timer = setInterval(() => {
        if (peer.readyState !== 1 || sent >= 400) clearInterval(timer)
        else while (sent < 400 && peer.getBufferedAmount() < 64 * 1024) sent += peer.send(chunk) === 0 ? 0 : 1
      }, 1)
    },
  })
  world = await openSpyWorld(backend)
  const { socket, got, opened } = spyClient(world.url)
  await opened
  socket.pause()
  await until('the backend is held back', async () => {
    const before = sent
    await Bun.sleep(300) // no byte in that time: it does not merely go slowly
    return sent === before
  })
  expect(sent).toBeLessThan(200)
  socket.resume()
  await until('all came', () => got.length === 400, { ms: 30_000 })
  socket.close()
}, 60_000)

test('a backend that has gone without a word is noticed, and the client told', async () => {
  backend = openBackend()
  const half = halfOpen(backend.url)
  world = await openSpyWorld({ url: half.url }, { silentMs: 60 })
  const { opened, closed } = spyClient(world.url)
  await opened
  half.freeze()
  expect(await closed).toEqual([1011, 'The server does not answer'])
  await stored(1)
  const [row] = await world.database.sql`select outcome, error from exchanges`
  expect(row).toEqual({ outcome: 'upstream_timeout', error: 'silent' })
  half.stop()
})

test('a hundred connections, left in every way, leave nothing open', async () => {
  backend = openBackend({ onMessage: (peer, message) => void (message === 'end' && peer.terminate()) })
  world = await openSpyWorld(backend)
  for (let round = 0; round < 25; round++) {
    const clients = await Promise.all(
      [1, 2, 3, 4].map(async () => {
        const client = spyClient(world?.url ?? '')
        await client.opened
        return client
      }),
    )
    const [one, two, three, four] = clients
    one?.socket.send(call)
    one?.socket.close()
    two?.socket.terminate()
    three?.socket.send('end')
    four?.socket.close(4000, 'x')
    await Promise.all(clients.map(({ closed }) => closed))
  }
  await until('all have ended', () => world?.spy.count() === 0 && backend.closed.length === 100)
  expect(world.spool.ledger().open).toBe(0)
  await stored(100)
}, 60_000)

test('what cannot be recorded does not pass', async () => {
  backend = openBackend({ onMessage: (peer) => peer.send(answer) })
  let full = false
  world = await openSpyWorld(backend, {
    wrap: (recorder) => ({
      begin(open) {
        if (full) throw new SpoolFullError()
        return recorder.begin(open)
      },
    }),
  })
  const { socket, got, opened, closed } = spyClient(world.url)
  await opened
  full = true
  socket.send(call)
  expect(await closed).toEqual([1013, 'The connection could not be recorded'])
  expect([backend.got, got]).toEqual([[], []])
})

test('in metadata mode nothing that was said is kept', async () => {
  backend = openBackend({ onMessage: (peer) => peer.send(answer) })
  world = await openSpyWorld(backend, { principal: { capture: 'metadata' } })
  const { socket, got, opened } = spyClient(world.url)
  await opened
  socket.send(call)
  await until('it is answered', () => got.length === 1)
  socket.close()
  await stored(2)
  expect(await world.frames()).toEqual([])
  const [row] = await world.database.sql`select rpc, name from mcp_exchanges where rpc is not null`
  expect(row).toEqual({ rpc: 'tools/call', name: 'dig' })
})

/** A relay that can stop relaying without closing anything. */
function halfOpen(target: string) {
  const { port } = new URL(target)
  let frozen = false
  const server = Bun.listen<{ peer: Promise<Bun.Socket> }>({
    ...{ hostname: '127.0.0.1', port: 0 },
    socket: {
      open(socket) {
        const peer = Bun.connect({
          ...{ hostname: '127.0.0.1', port: Number(port) },
          socket: { data: (_, bytes) => void (frozen || socket.write(bytes)) },
        })
        socket.data = { peer }
      },
      data(socket, bytes) {
        const copy = Buffer.from(bytes)
        if (!frozen) void socket.data.peer.then((peer) => peer.write(copy))
      },
    },
  })
  return {
    url: `ws://127.0.0.1:${server.port}/mcp`,
    freeze: () => {
      frozen = true
    },
    stop: () => server.stop(true),
  }
}
