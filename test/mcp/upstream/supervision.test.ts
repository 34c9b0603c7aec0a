import { afterAll, expect, test } from 'bun:test'
import { until } from '../../support/until.ts'
import { rawHttp } from '../fixtures/raw-http.ts'
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
  expect(performance.now() - started).toBeLessThan(100)
  expect(upstream.facts(signal)).rejects.toThrow('gone is not available')
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
  expected.push(/may not be executed/, /exited with code 4: no licence found/)
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
  process.kill(pid ?? 0, 'SIGSTOP')
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
