import { afterAll, expect, test } from 'bun:test'
import { leastGrowth } from '../../support/growth.ts'
import { until } from '../../support/until.ts'
import { callTool, errorOf, heard, resultOf, specOf, stdioSpec, testUpstreams } from './support.ts'

const upstreams = testUpstreams()
afterAll(() => upstreams.close())
const { signal } = new AbortController()

/** A server in a shell: greets, then does what the script says with each `$line` and its `$id`. */
function shell(script: string) {
  const greet = `'{"jsonrpc":"2.0","id":'$id',"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}}'`
  const loop = `
    while read -r line; do
      id=\${line#*\\"id\\":}; id=\${id%%,*}
      case $line in
        *server/discover*) echo '{"jsonrpc":"2.0","id":'$id',"error":{"code":-32601,"message":"no"}}' ;;
        *'"initialize"'*) echo ${greet} ;;
        *notifications/*) ;;
        *) ${script} ;;
      esac
    done`
  return specOf({ command: '/bin/sh', args: ['-c', loop] })
}

test('a server that floods its stderr is drunk dry, and harms nobody', async () => {
  const upstream = upstreams.get(stdioSpec())
  const grown = await leastGrowth(async () => {
    const flood = await callTool(upstream, 'flood', { bytes: 50_000_000 })
    expect(resultOf(flood)).toEqual({ content: [] })
  })
  expect(grown).toBeLessThan(25)
  await upstream.close()
})

test('lines that are no messages, and messages for nobody, are passed over', async () => {
  const noise = [
    'Server started on stdio!',
    '{"jsonrpc":"2.0"',
    '[]',
    '{"jsonrpc":"2.0","id":77,"result":{}}',
    '',
  ]
  const say = noise.map((line) => `echo '${line}'`).join('; ')
  const upstream = upstreams.get(shell(`${say}; echo '{"jsonrpc":"2.0","id":'$id',"result":{"ok":true}}'`))
  for (let call = 0; call < 3; call += 1)
    expect(resultOf(await callTool(upstream, 'any'))).toEqual({ ok: true })
  const unasked = upstreams.recorder.hops.find(({ received }) => received.includes('Server started'))
  expect(unasked).toMatchObject({ hop: 'upstream', rpc: null, parent: null })
  await upstream.close()
})

test('an error about a message that could not be read is that of the one call there is', async () => {
  const upstream = upstreams.get(
    shell(`echo '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"what?"}}'`),
  )
  expect(errorOf(await callTool(upstream, 'any'))).toEqual({ code: -32_700, message: 'what?' })
  await upstream.close()
})

test('the second of two answers counts for nothing', async () => {
  const twice = `for n in 1 2; do echo '{"jsonrpc":"2.0","id":'$id',"result":{"n":'$n'}}'; done`
  const upstream = upstreams.get(shell(twice))
  for (let call = 0; call < 3; call += 1) expect(resultOf(await callTool(upstream, 'any'))).toEqual({ n: 1 })
  await upstream.close()
})

test('C10: a line of which nobody knows whose it is, too large to be kept, is passed over', async () => {
  const large = `head -c 8000000 /dev/zero | tr '\\0' x; echo; echo '{"jsonrpc":"2.0","id":'$id',"result":{"ok":true}}'`
  const upstream = upstreams.get(shell(large))
  const grown = await leastGrowth(async () => {
    expect(resultOf(await callTool(upstream, 'any', {}, { maxBytes: 100_000 }))).toEqual({ ok: true })
  })
  expect(grown).toBeLessThan(25)
  await upstream.close()
})

test('C10: the call of an answer too large is known by an id at its end', async () => {
  const answer = `printf '{"result":{"x":"'; head -c 8000000 /dev/zero | tr '\\0' x; echo '"},"jsonrpc":"2.0","id":'$id'}'`
  const upstream = upstreams.get(shell(answer))
  expect(errorOf(await callTool(upstream, 'any', {}, { maxBytes: 100_000 })).message).toMatch(
    /8000\d\d\d bytes/,
  )
  expect(upstream.state().status).toBe('ready')
  await upstream.close()
})

test('a server that changes its tools all the time keeps answering', async () => {
  const upstream = upstreams.get(stdioSpec())
  const events = heard(upstream)
  const [changes, ...answers] = await Promise.all([
    callTool(upstream, 'change', { times: 5_000 }),
    ...Array.from({ length: 20 }, (_, n) => callTool(upstream, 'echo', { n })),
  ])
  expect(resultOf(changes ?? { result: '' })).toEqual({ content: [] })
  expect(answers.every((answer) => 'result' in answer)).toBe(true)
  await until('all were told', () => events.filter(({ kind }) => kind === 'notification').length === 5_000)
  await upstream.close()
})

test('a server that does not read its input fails calls, and takes no memory', async () => {
  const upstream = upstreams.get(shell('sleep 1000'))
  await upstream.facts(signal)
  const text = 'x'.repeat(4_000_000)
  const calls = Array.from({ length: 12 }, () => callTool(upstream, 'any', { text }, { timeoutMs: 1_000 }))
  const codes = (await Promise.all(calls)).map((answer) => errorOf(answer).code)
  expect(codes.filter((code) => code === -31_003).length).toBeGreaterThan(0)
  expect(codes.every((code) => code === -31_003 || code === -31_002)).toBe(true)
  await upstream.close()
})

test('one server that hangs does not slow another', async () => {
  const [hanging, other] = [upstreams.get(stdioSpec()), upstreams.get(stdioSpec())]
  await Promise.all([hanging.facts(signal), other.facts(signal)])
  const abort = new AbortController()
  const patient = { timeoutMs: 600_000, signal: abort.signal }
  const stuck = Array.from({ length: 200 }, () => callTool(hanging, 'never', {}, patient))
  for (let call = 0; call < 50; call += 1) resultOf(await callTool(other, 'echo'))
  abort.abort()
  expect((await Promise.all(stuck)).map(errorOf).every(({ code }) => code === -31_006)).toBe(true)
  await Promise.all([hanging.close(), other.close()])
})

test('what a server asks without being asked is refused, unless one call alone can mean it', async () => {
  const upstream = upstreams.get(stdioSpec({ era: 'legacy' }))
  const calls = [1, 2].map(() =>
    callTool(upstream, 'ask', {}, { onRequest: async () => ({ result: '{"role":"assistant"}' }) }),
  )
  for (const answer of await Promise.all(calls)) {
    expect(resultOf(answer).given).toMatchObject({
      code: -32_600,
      message: expect.stringContaining('no single call'),
    })
  }
  await upstream.close()
})

test('progress starts the time of a call anew, up to a maximum', async () => {
  const step = `echo '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":'$id',"progress":1}}'`
  const upstream = upstreams.get(shell(`while :; do ${step}; sleep 0.1; done`))
  const params = '{"name":"x","_meta":{"progressToken":"mine"}}'
  const notes: [string, unknown][] = []
  const started = performance.now()
  const call = callTool(upstream, 'x', {}, { params, notes, timeoutMs: 300, maxTimeoutMs: 900 })
  expect(errorOf(await call).code).toBe(-31_002)
  expect(performance.now() - started).toBeGreaterThan(600)
  expect(performance.now() - started).toBeLessThan(4_000)
  expect(notes.length).toBeGreaterThan(4)
  await upstream.close()
})

test('a listener that fails ends nothing', async () => {
  const upstream = upstreams.get(stdioSpec({ era: 'legacy' }))
  upstream.on(() => {
    throw new Error('not my day')
  })
  const fail = () => {
    throw new Error('nor mine')
  }
  expect(resultOf(await callTool(upstream, 'log', {}, { onNotification: fail }))).toEqual({ content: [] })
  expect(resultOf(await callTool(upstream, 'change'))).toEqual({ content: [] })
  expect(resultOf(await callTool(upstream, 'ask', {}, { onRequest: fail })).given).toMatchObject({
    code: -32_603,
  })
  await upstream.close()
})

test('no call is made of which there can be no record', async () => {
  const full = testUpstreams()
  const upstream = full.get(stdioSpec())
  await upstream.facts(signal)
  const { begin } = full.recorder
  full.recorder.begin = () => {
    throw new Error('The spool is full')
  }
  expect(errorOf(await callTool(upstream, 'echo'))).toMatchObject({
    code: -31_001,
    message: 'The spool is full',
  })
  full.recorder.begin = begin
  expect(resultOf(await callTool(upstream, 'echo'))).toHaveProperty('content')
  await full.close()
})

test('whatever a server says, however it is mangled, the connection stays', async () => {
  const upstream = upstreams.get(stdioSpec({ era: 'legacy' }))
  await upstream.facts(signal)
  const frames = [
    '{"jsonrpc":"2.0","id":1,"result":{"a":[1,{"b":"c"}]}}',
    '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}',
    '{"jsonrpc":"2.0","id":"x","method":"roots/list","params":{}}',
    '[{"jsonrpc":"2.0","method":"notifications/message","params":{}},1,null,[]]',
  ]
  let seed = 7
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return seed % below
  }
  for (let round = 0; round < 500; round += 1) {
    const frame = frames[random(frames.length)] ?? ''
    const [from, to] = [random(frame.length), random(frame.length)]
    const mangled = frame.slice(0, from) + '{}[]",:\\n0e'.charAt(random(11)) + frame.slice(to)
    void callTool(upstream, 'raw', { frame: mangled.replaceAll('\n', ' ') }, { timeoutMs: 2_000 })
  }
  expect(resultOf(await callTool(upstream, 'echo'))).toHaveProperty('content')
  expect(upstream.state().status).toBe('ready')
  await upstream.close()
})
