import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { until } from '../../support/until.ts'
import { callOf, client, type Harness, openHarness, principal, scripted, tool, toolNames } from './support.ts'

setDefaultTimeout(60_000)
let harness: Harness

beforeAll(async () => {
  harness = await openHarness()
  const server = scripted({
    tools: [tool('echo')],
    prompts: [{ name: 'p' }],
    resources: [{ uri: 'a:1', name: 'a' }],
    templates: [{ uriTemplate: '{x}{y}{z}{a}{b}', name: 't' }],
  })
  await harness.add({ name: 'it', ...server.row })
  await toolNames(harness.portal)
})
afterAll(async () => await harness.stop())

const methods = [
  ...['tools/list', 'tools/call', 'prompts/list', 'prompts/get', 'resources/list', 'resources/read'],
  ...['resources/templates/list', 'resources/subscribe', 'resources/unsubscribe', 'completion/complete'],
  ...[
    'logging/setLevel',
    'ping',
    'initialize',
    '',
    '__proto__',
    'constructor',
    'no/such',
    'tools/call\u0000',
  ],
]
const names = [
  'it__echo',
  'it__p',
  'a:1',
  'portal://it/a:1',
  'portal://',
  'portal://x',
  'call_tool',
  'search_tools',
]
const odd = [
  null,
  true,
  0,
  -1,
  1e308,
  '',
  '\u0000',
  '\ud800',
  '__proto__',
  'x'.repeat(5_000),
  [],
  {},
  [[]],
  { a: 1 },
]

test('whatever a client sends, it gets an answer, and never an exception', async () => {
  const any = () => {
    const all = [...odd, ...names]
    return all[Math.floor(Math.random() * all.length)]
  }
  const keys = ['name', 'uri', 'ref', 'arguments', 'cursor', 'level', '_meta', 'query', 'requestState']
  for (let round = 0; round < 1_500; round += 1) {
    const params: Record<string, unknown> = {}
    for (const key of keys) if (Math.random() < 0.4) params[key] = any()
    if (Math.random() < 0.2)
      params.ref = { type: ['ref/prompt', 'ref/resource', 'x'][round % 3], name: any(), uri: any() }
    if (Math.random() < 0.2) params.arguments = { name: any(), arguments: any(), query: any() }
    const method = methods[round % methods.length] ?? ''
    const of = client({
      era: round % 2 === 0 ? 'legacy' : 'modern',
      principal: principal(round % 3 === 0 ? ['admin'] : ['call']),
    })
    // Nobody shall switch anything here.
    if (String(params.name).includes('toggle')) continue
    const answer = await harness.portal.request(callOf(method, params, { client: of }))
    if ('result' in answer) JSON.parse(answer.result)
    else expect([method, Number.isInteger(answer.error.code)]).toEqual([method, true])
    // And only then: edges make it an HTTP 404.
    const unknown = 'error' in answer && answer.error.code === -32_601
    expect([method, unknown]).toEqual([method, methods.indexOf(method) > 11])
  }
  expect(await toolNames(harness.portal)).toEqual(['it__echo'])
})

test('params that are no object, or no JSON at all, are an error of the client', async () => {
  for (const params of ['null', '[]', '"x"', '', '{', '1']) {
    const call = { ...callOf('tools/call'), params }
    const answer = await harness.portal.request(call)
    expect([params, 'error' in answer ? answer.error.code : 0]).toEqual([params, -32_602])
  }
})

test('a server whose list has no end is given up, with the reason', async () => {
  const id = await harness.add({
    name: 'endless',
    ...scripted({ tools: [tool('one')], endless: true }).row,
  })
  await until('it is given up', () =>
    /more than 1000 pages/.test(harness.portal.reports.report(id)?.reason ?? ''),
  )
  await harness.remove('endless')
})

test('C4: fifty edits of a server’s command leave one process', async () => {
  const row = scripted({ tools: [tool('one')] }).row
  await harness.add({ name: 'edited', ...row })
  await until('it runs', () => harness.upstreams.pids().length === 2)
  for (let at = 0; at < 50; at += 1) await harness.change('edited', { env: { EDIT: String(at) } })
  await until('it has its tools', async () => (await toolNames(harness.portal)).includes('edited__one'))
  await until('one process is left of it', () => harness.upstreams.pids().length === 2)
  await harness.remove('edited')
  await until('none is left', () => harness.upstreams.pids().length === 1)
})
