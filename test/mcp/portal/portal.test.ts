import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { until } from '../../support/until.ts'
import { serveEverything } from '../fixtures/everything-http.ts'
import {
  callOf,
  client,
  errorOf,
  type Harness,
  listening,
  openHarness,
  resultOf,
  scripted,
  tool,
  toolNames,
} from './support.ts'

setDefaultTimeout(30_000)
let harness: Harness
let everything: ReturnType<typeof serveEverything>
const odd =
  '{"name":"odd", "inputSchema":{"type":"object"} ,"x-unknown":{"big":12345678901234567890,"n":1.0},"_meta":{"a":1}}'
const plain = scripted({
  rawTools: [odd, JSON.stringify(tool('echo'))],
  prompts: [{ name: 'greet' }],
  resources: [
    { uri: 'file:///a', name: 'a' },
    { uri: 'test://static-text', name: 'same' },
  ],
  templates: [{ uriTemplate: 'db://{table}/{id}', name: 'row' }],
  instructions: 'Be kind.',
  page: 1,
})

beforeAll(async () => {
  harness = await openHarness()
  everything = serveEverything({ eras: ['modern'] })
  await harness.add({ name: 'every', transport: 'http', url: everything.url })
  await harness.add({ name: 'plain', ...plain.row })
})

afterAll(async () => {
  await harness.stop()
  await everything.stop()
})

const ask = async (method: string, params: object = {}, more = {}) =>
  await harness.portal.request(callOf(method, params, more))

test('tools of all servers are listed under their server’s name, page by page of theirs, in a fixed order', async () => {
  const names = await toolNames(harness.portal)
  expect(names).toContain('plain__echo')
  expect(names).toContain('plain__odd')
  expect(names).toContain('every__test_simple_text')
  expect(names).toEqual([...names].sort())
  expect(await toolNames(harness.portal)).toEqual(names)
})

test('what a tool says that we do not know passes byte for byte', async () => {
  const answer = await ask('tools/list')
  if ('error' in answer) throw new Error(answer.error.message)
  expect(answer.result).toContain(odd.replace('"odd"', '"plain__odd"'))
})

test('a call goes to the server that has the tool, under its own name, and its result comes back whole', async () => {
  const { content, extra } = resultOf(
    await ask('tools/call', { name: 'plain__echo', arguments: { a: 1 }, _meta: { mine: 2 } }),
  )
  expect(extra).toBe(1.5)
  expect(JSON.parse(content[0].text)).toEqual({ name: 'echo', arguments: { a: 1 }, _meta: { mine: 2 } })
})

test('results are in the words of the client’s era', async () => {
  const modern = client({ era: 'modern', protocolVersion: '2026-07-28', session: null })
  const toLegacy = resultOf(await ask('tools/call', { name: 'plain__echo' }, { client: modern }))
  expect([toLegacy.resultType, toLegacy.extra]).toEqual(['complete', 1.5])
  const toModern = await ask('tools/call', { name: 'every__test_simple_text', arguments: {} })
  expect(resultOf(toModern).resultType).toBeUndefined()
  const list = resultOf(await ask('tools/list', {}, { client: modern }))
  expect([list.resultType, list.cacheScope, typeof list.ttlMs]).toEqual(['complete', 'private', 'number'])
  const read = resultOf(await ask('resources/read', { uri: 'file:///a' }, { client: modern }))
  expect([read.resultType, read.cacheScope, read.ttlMs, read.echo]).toEqual([
    'complete',
    'private',
    0,
    { uri: 'file:///a' },
  ])
})

test('prompts are listed and got under their server’s name', async () => {
  const { prompts } = resultOf(await ask('prompts/list'))
  const names = prompts.map(({ name }: { name: string }) => name)
  expect(names).toContain('plain__greet')
  expect(names).toContain('every__test_simple_prompt')
  expect(resultOf(await ask('prompts/get', { name: 'plain__greet' })).echo).toEqual({ name: 'greet' })
  expect(errorOf(await ask('prompts/get', { name: 'greet' })).code).toBe(-32602)
})

test('resources keep their URIs; of one that two have the younger server’s gets a form that leads to it', async () => {
  const { resources } = resultOf(await ask('resources/list'))
  const uris = resources.map(({ uri }: { uri: string }) => uri)
  expect(uris).toContain('file:///a')
  expect(uris).toContain('test://static-text')
  expect(uris).toContain('portal://plain/test://static-text')
  const older = resultOf(await ask('resources/read', { uri: 'test://static-text' }))
  expect(older.contents[0].text).toContain('static text resource')
  const younger = resultOf(await ask('resources/read', { uri: 'portal://plain/test://static-text' }))
  expect(younger.echo.uri).toBe('test://static-text')
})

test('a URI that is not listed goes by template, and otherwise nowhere', async () => {
  expect(resultOf(await ask('resources/read', { uri: 'db://users/7' })).echo.uri).toBe('db://users/7')
  expect(errorOf(await ask('resources/read', { uri: 'gopher://x' })).code).toBe(-32002)
  const modern = client({ era: 'modern', session: null })
  expect(errorOf(await ask('resources/read', { uri: 'gopher://x' }, { client: modern })).code).toBe(-32602)
})

test('completions go to the server of the prompt or template; one that has none completes nothing', async () => {
  const ref = { type: 'ref/prompt', name: 'every__test_prompt_with_arguments' }
  const made = resultOf(await ask('completion/complete', { ref, argument: { name: 'arg1', value: 'par' } }))
  expect(made.completion.values).toEqual(['paris', 'park', 'party'])
  const none = { type: 'ref/resource', uri: 'db://{table}/{id}' }
  const empty = resultOf(
    await ask('completion/complete', { ref: none, argument: { name: 'id', value: '1' } }),
  )
  expect(empty.completion.values).toEqual([])
})

test('what nobody offers is an error that names it', async () => {
  expect(errorOf(await ask('tools/call', { name: 'plain__none' }))).toEqual({
    code: -32602,
    message: 'Unknown tool: plain__none',
  })
  expect(errorOf(await ask('tools/call', {})).code).toBe(-32602)
  expect(errorOf(await ask('no/such', {})).code).toBe(-32601)
  expect(errorOf(await ask('tools/list', { cursor: '%' })).code).toBe(-32602)
  expect(errorOf(await ask('tools/list', {}, { client: client({ portal: 'none' }) })).message).toContain(
    'no portal',
  )
})

test('C1: tools.listChanged is always offered, and what servers say of themselves is put together', async () => {
  const { capabilities, instructions, serverInfo } = harness.portal.offer(client())
  expect(JSON.parse(capabilities)).toMatchObject({
    ...{ tools: { listChanged: true }, prompts: { listChanged: true } },
    resources: { listChanged: true, subscribe: true },
  })
  expect(JSON.parse(serverInfo).name).toBe('sluice')
  expect(instructions).toContain('Be kind.')
  expect(instructions).toContain('# every')
})

test('progress and log messages of a call come on that call', async () => {
  const told: string[] = []
  const notify = (method: string) => void told.push(method)
  const meta = { _meta: { progressToken: 'mine' } }
  await ask('tools/call', { name: 'every__test_tool_with_progress', arguments: {}, ...meta }, { notify })
  expect(told).toContain('notifications/progress')
})

test('a legacy client that set no level hears what a modern server logs; a modern one nothing unasked', async () => {
  const logged = async (of = client()) => {
    const told: string[] = []
    const notify = (method: string) => void told.push(method)
    await ask('tools/call', { name: 'every__test_logging_tool', arguments: {} }, { notify, client: of })
    return told.filter((method) => method === 'notifications/message').length
  }
  expect(await logged()).toBe(3)
  expect(await logged(client({ logLevel: 'error' }))).toBe(0)
  expect(await logged(client({ era: 'modern', protocolVersion: '2026-07-28', session: null }))).toBe(0)
})

test('a legacy client is asked on its call’s stream what a modern server wants to know', async () => {
  const asked: string[] = []
  const answer = await ask(
    'tools/call',
    { name: 'every__test_input_required_result_elicitation', arguments: {} },
    {
      client: client({ capabilities: '{"elicitation":{}}' }),
      ask: async (method: string) => {
        asked.push(method)
        return { result: '{"action":"accept","content":{"name":"Ada"}}' }
      },
    },
  )
  expect(asked).toEqual(['elicitation/create'])
  expect(JSON.stringify(resultOf(answer))).toContain('Ada')
})

test('a subscription reaches the server once, and its news those who asked', async () => {
  expect(resultOf(await ask('resources/subscribe', { uri: 'file:///a' }))).toEqual({})
  const one = listening(harness.portal, client({ session: 'a' }), ['file:///a'])
  const two = listening(harness.portal, client({ session: 'b' }), ['test://static-text'])
  plain.tell('notifications/resources/updated', { uri: 'file:///a' })
  await until('one is told', () => one.told.length > 0)
  expect(one.told).toEqual([{ kind: 'resource', params: '{"uri":"file:///a"}' }])
  expect(two.told).toEqual([])
  expect(plain.seen().filter(({ method }) => method === 'resources/subscribe')).toHaveLength(1)
  one.stop()
  two.stop()
  expect(errorOf(await ask('resources/subscribe', { uri: 'gopher://x' })).code).toBe(-32002)
})

test('a subscription outlives a change of its server’s command', async () => {
  const one = listening(harness.portal, client({ session: 'c' }), ['file:///a'])
  const asked = () => plain.seen().filter(({ method }) => method === 'resources/subscribe').length
  await until('it is subscribed', () => asked() > 0)
  const before = asked()
  await harness.change('plain', { env: { ...plain.row.env, AGAIN: '1' } })
  await until('the new process is told', () => asked() > before)
  plain.tell('notifications/resources/updated', { uri: 'file:///a' })
  await until('the client is told', () => one.told.some(({ kind }) => kind === 'resource'))
  one.stop()
})
