import { afterAll, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { openGate } from '../../support/gate.ts'
import { leastGrowth } from '../../support/growth.ts'
import { until } from '../../support/until.ts'
import { type RawHttp, rawHttp } from '../fixtures/raw-http.ts'
import { rawSse, rawWebSocket } from '../fixtures/raw-socket.ts'
import { callTool, errorOf, heard, resultOf, specOf, stdioSpec, testUpstreams } from './support.ts'

const upstreams = testUpstreams()
afterAll(() => upstreams.close())
const { signal } = new AbortController()

test('nothing is connected before somebody asks', async () => {
  const upstream = upstreams.get(stdioSpec())
  expect(upstream.state()).toMatchObject({ status: 'idle', pid: null, tries: 0 })
  await upstream.close()
})

test('C6: a server that comes back is found again, and its state says what happens meanwhile', async () => {
  const first = rawHttp({ era: 'legacy' })
  const upstream = upstreams.get(specOf({ transport: 'http', url: first.url }))
  const events = heard(upstream)
  expect(resultOf(await callTool(upstream, 'echo'))).toHaveProperty('content')
  await first.stop()
  await until('it is seen to be gone', () => upstream.state().status === 'waiting')
  const { reason, next_try_at: next } = upstream.state()
  expect(reason).toContain('ECONN')
  expect(next).toBeGreaterThan(Date.now() - 1_000)
  await until('it was tried more than once', () => upstream.state().tries >= 3)
  const second = rawHttp({ era: 'legacy' }, first.port)
  await until('it is there again', () => upstream.state().status === 'ready')
  expect(upstream.state()).toMatchObject({ reason: null, next_try_at: null, tries: 0 })
  expect(resultOf(await callTool(upstream, 'echo'))).toHaveProperty('content')
  const states = events.flatMap((event) => (event.kind === 'state' ? [event.state.status] : []))
  expect(states.slice(0, 4)).toEqual(['connecting', 'ready', 'waiting', 'connecting'])
  expect(states.at(-1)).toBe('ready')
  await upstream.close()
  await second.stop()
})

test('C6: of a server that is down an error is all that one gets, at once', async () => {
  const patient = testUpstreams({ limits: { waits: { baseMs: 60_000, mostMs: 60_000 } } })
  const upstream = patient.get(specOf({ transport: 'http', url: 'http://127.0.0.1:1/mcp', name: 'gone' }))
  const error = errorOf(await callTool(upstream, 'echo', {}, { method: 'tools/list', params: '{}' }))
  expect(error).toMatchObject({
    code: -31_001,
    message: expect.stringMatching(/gone is not available.*127\.0\.0\.1:1/),
  })
  const started = performance.now()
  expect(errorOf(await callTool(upstream, 'echo')).message).toMatch(/next try at \d{4}-/)
  expect(performance.now() - started).toBeLessThan(1_000)
  await expect(upstream.facts(signal)).rejects.toThrow('gone is not available')
  await patient.close()
})

test('a server that dies in mid-call fails the calls under way, with the reason, and is started again', async () => {
  const upstream = upstreams.get(stdioSpec())
  await upstream.facts(signal)
  const calls = [callTool(upstream, 'never'), callTool(upstream, 'die')]
  for (const answer of await Promise.all(calls)) {
    expect(errorOf(answer)).toMatchObject({
      code: -31_003,
      message: expect.stringContaining('I have had enough'),
    })
  }
  expect(resultOf(await callTool(upstream, 'echo'))).toHaveProperty('content')
  await upstream.close()
})

test('a command that does not exist, a folder that does not, and one that exits at once say so', async () => {
  const reasons = await Promise.all(
    [
      specOf({ command: '/no/such/command' }),
      specOf({ command: 'no-such-command-anywhere' }),
      specOf({ command: 'true', cwd: '/no/such/folder' }),
      specOf({ command: '/etc/passwd' }),
      specOf({ command: '/bin/sh', args: ['-c', 'echo "no licence found" >&2; exit 4'] }),
    ].map(async (spec) => {
      const upstream = upstreams.get(spec)
      const { message } = errorOf(await callTool(upstream, 'echo'))
      await upstream.close()
      return message
    }),
  )
  const expected = [/there is no such command/, /there is no such command/, /no folder \/no\/such\/folder/]
  expected.push(/may not be executed/, /exited with code 4\nno licence found/)
  reasons.forEach((reason, index) => void expect(reason).toMatch(expected[index] ?? /never/))
})

test('a process that nobody uses is stopped, and started when it is needed', async () => {
  const upstream = upstreams.get({ ...stdioSpec(), idle_stop_ms: 80 })
  await upstream.facts(signal)
  const slow = callTool(upstream, 'never', {}, { timeoutMs: 300 })
  await until('it is stopped', () => upstream.state().status === 'idle')
  expect(errorOf(await slow).code).toBe(-31_002)
  expect(upstream.state().pid).toBeNull()
  expect(resultOf(await callTool(upstream, 'echo'))).toHaveProperty('content')
  await upstream.close()
})

test('a server that hangs is found out by a ping, and left', async () => {
  const quick = testUpstreams({ limits: { healthMs: 60, pingMs: 100 } })
  const upstream = quick.get(stdioSpec())
  await upstream.facts(signal)
  const { pid } = upstream.state()
  if (pid === null) throw new Error('It has no process')
  process.kill(pid, 'SIGSTOP')
  await until('it is seen', () => upstream.state().pid !== pid)
  expect(resultOf(await callTool(upstream, 'echo'))).toHaveProperty('content')
  await quick.close()
})

test('a server that ends at the question for its era is asked as of old', async () => {
  const script = `
    read -r line; case $line in *server/discover*) exit 1;; esac
    echo '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2024-11-05","capabilities":{},"serverInfo":{"name":"old","version":"1"}}}'
    while read -r line; do :; done`
  const upstream = upstreams.get(specOf({ command: '/bin/sh', args: ['-c', script] }))
  expect(await upstream.facts(signal)).toMatchObject({ era: 'legacy', protocolVersion: '2024-11-05' })
  await upstream.close()
})

test('a server that does not answer the question for its era is asked as of old', async () => {
  const quick = testUpstreams({ limits: { probeMs: 100 } })
  const upstream = quick.get(stdioSpec({ era: 'legacy', silent: true }))
  expect(await upstream.facts(signal)).toMatchObject({ era: 'legacy' })
  await quick.close()
})

test('a closed server is asked no more', async () => {
  const upstream = upstreams.get(stdioSpec())
  const asking = callTool(upstream, 'echo')
  await upstream.close()
  expect(errorOf(await asking).code).toBeLessThan(-31_000)
  expect(errorOf(await callTool(upstream, 'echo'))).toMatchObject({ code: -31_001 })
  expect(upstream.state()).toMatchObject({ status: 'closed', pid: null })
})

test('a modern server that is slow to start is met in its own era all the same', async () => {
  const quick = testUpstreams({ limits: { probeMs: 100 } })
  const script = `
    sleep 0.5; while read -r line; do
      case $line in
        *server/discover*) echo '{"jsonrpc":"2.0","id":1,"result":{"supportedVersions":["2026-07-28"],"capabilities":{}}}' ;;
        *'"initialize"'*) echo '{"jsonrpc":"2.0","id":2,"error":{"code":-32601,"message":"no such method"}}' ;;
        *) echo '{"jsonrpc":"2.0","id":3,"result":{"ok":true}}' ;;
      esac
    done`
  const upstream = quick.get(specOf({ command: '/bin/sh', args: ['-c', script] }))
  expect(await upstream.facts(signal)).toMatchObject({ era: 'modern' })
  expect(resultOf(await callTool(upstream, 'any'))).toEqual({ ok: true })
  await quick.close()
})

test.each(['http', 'sse', 'ws'] as const)(
  'C6: over %s, too, a server that was away is found again',
  async (transport) => {
    const server = { http: rawHttp, sse: rawSse, ws: rawWebSocket }[transport]({ era: 'legacy' })
    const gate = openGate(Number(new URL(server.url).port))
    const url = new URL(server.url)
    url.port = String(gate.port)
    const quick = testUpstreams({ limits: { healthMs: 50 } })
    const upstream = quick.get(specOf({ transport, url: url.href }))
    for (let time = 0; time < 3; time += 1) {
      expect(resultOf(await callTool(upstream, 'echo'))).toHaveProperty('content')
      gate.shut()
      await until('it is seen to be away', () => upstream.state().status === 'waiting')
      expect(errorOf(await callTool(upstream, 'echo', {}, { timeoutMs: 100 })).code).toBe(-31_001)
      gate.open()
      await until('it is back', () => upstream.state().status === 'ready')
    }
    await quick.close()
    gate.close()
    await server.stop()
  },
)

test('300 connects and disconnects over each transport leave handles and memory as they were', async () => {
  const servers = [
    rawHttp({ era: 'legacy' }),
    rawHttp({ era: 'modern' }),
    rawSse({ era: 'legacy' }),
    rawWebSocket(),
  ]
  const transports = ['http', 'http', 'sse', 'ws'] as const
  const handles = () => readdirSync('/proc/self/fd').length
  const rounds = async (count: number) => {
    for (let round = 0; round < count; round += 1) {
      await Promise.all(
        servers.map(async ({ url }, index) => {
          const upstream = upstreams.get(specOf({ transport: transports[index] ?? 'http', url }))
          expect(resultOf(await callTool(upstream, 'echo'))).toHaveProperty('content')
          await upstream.close()
        }),
      )
      for (const { server } of servers) server.received.length = 0
      for (const { requests } of servers.slice(0, 2) as RawHttp[]) requests.length = 0
      upstreams.recorder.hops.length = 0
    }
  }
  await rounds(100)
  const before = handles()
  expect(await leastGrowth(() => rounds(100))).toBeLessThan(8)
  await until('handles are as they were', () => handles() <= before + 8)
  expect(upstreams.states()).toEqual([])
  for (const server of servers) await server.stop()
}, 60_000)

test('a server that hangs while it is connected to can be closed at once, with its process', async () => {
  const hole = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Promise<Response>(() => {}) })
  const url = `http://127.0.0.1:${hole.port}/`
  const specs = (['http', 'sse', 'ws'] as const).map((transport) => specOf({ transport, url }))
  for (const spec of [...specs, specOf({ command: 'sleep', args: ['1000'] })]) {
    const upstream = upstreams.get(spec)
    const asking = callTool(upstream, 'echo')
    if (spec.url !== null) await until('it was asked', () => hole.pendingRequests > 0)
    const started = performance.now()
    await upstream.close()
    expect(performance.now() - started).toBeLessThan(4_000)
    expect(errorOf(await asking).code).toBe(-31_001)
  }
  await hole.stop(true)
})

test('C6: a call that meets a server in the middle of its restart is sent once it is back', async () => {
  const server = rawHttp({ era: 'modern' })
  const gate = openGate(server.port)
  const upstream = upstreams.get(specOf({ transport: 'http', url: `http://127.0.0.1:${gate.port}/` }))
  await upstream.facts(signal)
  gate.shut()
  expect('error' in (await callTool(upstream, 'echo'))).toBe(true)
  await until('it is seen to be away', () => upstream.state().status === 'waiting')
  const call = callTool(upstream, 'echo')
  gate.open()
  expect(resultOf(await call)).toHaveProperty('content')
  await upstream.close()
  gate.close()
  await server.stop()
})
