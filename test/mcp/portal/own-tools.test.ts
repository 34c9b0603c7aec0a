import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { z } from 'zod'
import { defineTool } from '#access'
import { until } from '../../support/until.ts'
import {
  callOf,
  client,
  errorOf,
  type Harness,
  listening,
  openHarness,
  principal,
  resultOf,
  scripted,
  tool,
  toolNames,
} from './support.ts'

setDefaultTimeout(30_000)
let harness: Harness
const stored: { name: string; result: string }[] = []
const admin = client({ principal: principal(['admin']) })

const echo = defineTool({
  ...{ name: 'dewey_echo', title: 'Echo', description: 'Says it again', scope: 'read', readOnly: true },
  input: z.strictObject({ text: z.string() }),
  run: async ({ text }, { progress, exchange }) => {
    progress(1, 2, 'half')
    return { text, exchange }
  },
})

beforeAll(async () => {
  harness = await openHarness({
    ownTools: [echo],
    async storeOverflow({ name, result }) {
      stored.push({ name, result })
      return { uri: `sluice://overflow/${stored.length}`, bytes: Buffer.byteLength(result) }
    },
    readOverflow: async (_, uri) => ({
      text: stored[Number(uri.split('/').at(-1)) - 1]?.result ?? '',
      ...{ mimeType: 'application/json', server: 'hub', name: 'create_issue' },
    }),
  })
  const tools = [
    tool('create_issue', {
      description: 'Opens a new issue in a repository',
      inputSchema: { type: 'object', properties: { title: {} } },
    }),
    tool('listRepositories', { description: 'Repositories of a user' }),
    tool('delete_issue', { description: 'Removes an issue for ever' }),
  ]
  await harness.add({ name: 'hub', ...scripted({ tools }).row, max_result_bytes: 2_000 })
  await toolNames(harness.portal)
})
afterAll(async () => await harness.stop())

const run = async (name: string, args: object, of = client(), more = {}) =>
  await harness.portal.request(callOf('tools/call', { name, arguments: args }, { client: of, ...more }))

test('its own tools have exactly their names, for those whose scopes allow them', async () => {
  const names = async (of = client()) =>
    resultOf(await harness.portal.request(callOf('tools/list', {}, { client: of }))).tools.map(
      ({ name }: { name: string }) => name,
    )
  expect((await names()).slice(0, 3)).toEqual(['call_tool', 'portal_list_servers', 'search_tools'])
  expect(await names(admin)).toContain('portal_toggle_single_server')
  expect(await names(client({ principal: principal(['read']) }))).toContain('dewey_echo')
  expect(errorOf(await run('portal_toggle_servers', { enabled: false })).code).toBe(-32_602)
})

test('an own tool answers structured and as text, and tells its progress', async () => {
  const told: unknown[] = []
  const reader = client({ principal: principal(['read']) })
  const call = callOf(
    'tools/call',
    { name: 'dewey_echo', arguments: { text: 'hi' }, _meta: { progressToken: 7 } },
    { client: reader, notify: (method, params) => void told.push([method, JSON.parse(params)]) },
  )
  const { structuredContent, content } = resultOf(await harness.portal.request(call))
  expect(structuredContent).toEqual({ text: 'hi', exchange: call.exchange })
  expect(JSON.parse(content[0].text)).toEqual(structuredContent)
  expect(told).toEqual([
    ['notifications/progress', { progressToken: 7, progress: 1, total: 2, message: 'half' }],
  ])
  const wrong = resultOf(await run('dewey_echo', { text: 1 }, reader))
  expect([wrong.isError, wrong.content[0].text]).toEqual([true, expect.stringContaining('text')])
})

test('C1: search_tools finds by what a tool does, best first, with its schema; call_tool calls it', async () => {
  const search = async (query: string, limit?: number) =>
    resultOf(await run('search_tools', { query, ...(limit === undefined ? {} : { limit }) }))
      .structuredContent.tools
  const found = await search('open an issue')
  expect(found[0]).toEqual({
    ...{ name: 'hub__create_issue', server: 'hub', description: 'Opens a new issue in a repository' },
    inputSchema: { type: 'object', properties: { title: {} } },
  })
  expect((await search('repositories list'))[0].name).toBe('hub__listRepositories')
  expect((await search('hub__delete_issue', 1)).map(({ name }: { name: string }) => name)).toEqual([
    'hub__delete_issue',
  ])
  expect(await search('weather')).toEqual([])

  const called = resultOf(await run('call_tool', { name: 'hub__create_issue', arguments: { title: 'x' } }))
  expect(JSON.parse(called.content[0].text)).toEqual({ name: 'create_issue', arguments: { title: 'x' } })
  expect(errorOf(await run('call_tool', { name: 'call_tool' })).code).toBe(-32_602)
  expect(errorOf(await run('call_tool', {})).code).toBe(-32_602)
  expect(errorOf(await run('call_tool', { name: 'none' })).message).toBe('Unknown tool: none')
})

test('servers are switched by the portal’s own tools, in both forms, and the answer says which', async () => {
  const { told } = listening(harness.portal)
  const off = await run('portal_toggle_single_server', { name: 'hub', enabled: false }, admin)
  expect(resultOf(off).structuredContent).toEqual({ enabled: false, servers: ['hub'] })
  expect(await toolNames(harness.portal)).toEqual([])
  await until('it is told', () => told.length === 1)
  const listed = resultOf(await run('portal_list_servers', {})).structuredContent.servers
  expect(listed).toEqual([expect.objectContaining({ name: 'hub', enabled: false, status: 'off' })])
  await run('portal_toggle_single_server', { server: 'hub', enabled: true }, admin)
  await run('portal_toggle_servers', { enabled: false, servers: ['hub'] }, admin)
  await run('portal_toggle_servers', { enabled: true }, admin)
  await until('the tools are back', async () => (await toolNames(harness.portal)).length === 3)
  await until('it is told again', () => told.length > 1)
  const unknown = resultOf(await run('portal_toggle_single_server', { name: 'nub', enabled: true }, admin))
  expect([unknown.isError, unknown.content[0].text]).toEqual([true, expect.stringContaining('nub: hub')])
  expect(resultOf(await run('portal_toggle_single_server', { enabled: true }, admin)).isError).toBe(true)
})

test('C10: of a result that is too large the beginning is sent, and the whole is stored and linked', async () => {
  const title = 'long '.repeat(2_000)
  const { content } = resultOf(await run('hub__create_issue', { title }))
  expect(content[0].text).toStartWith('{"name":"create_issue"')
  expect(Buffer.byteLength(JSON.stringify(content))).toBeLessThan(2_000)
  expect(content[1].text).toContain('2000')
  const link = content[2]
  expect([link.type, link.uri]).toEqual(['resource_link', 'sluice://overflow/1'])
  const read = resultOf(await harness.portal.request(callOf('resources/read', { uri: link.uri })))
  expect(read.contents[0].text).toContain(title)
  const modern = client({ era: 'modern', session: null })
  expect(resultOf(await run('hub__create_issue', { title }, modern)).resultType).toBe('complete')
  const small = resultOf(await run('hub__create_issue', { title: 'short' }))
  expect(small.content).toHaveLength(1)
})

test('C10: without a store such a call fails, and it alone, with the limit in its error', async () => {
  const other = await openHarness({ database: harness.database })
  const name = 'hub__create_issue'
  await toolNames(other.portal)
  const large = callOf('tools/call', { name, arguments: { title: 'x'.repeat(10_000) } })
  const [failed, fine] = await Promise.all([
    other.portal.request(large),
    other.portal.request(callOf('tools/call', { name, arguments: { title: 'y' } })),
  ])
  expect(errorOf(failed).message).toContain('2000')
  expect('result' in fine).toBe(true)
  await other.stop()
})
