import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import {
  callOf,
  client,
  errorOf,
  type Harness,
  openHarness,
  principal,
  resultOf,
  scripted,
  tool,
  toolNames,
} from './support.ts'

setDefaultTimeout(30_000)
let harness: Harness
const readOnly = { annotations: { readOnlyHint: true } }
const key = crypto.randomUUID()

beforeAll(async () => {
  harness = await openHarness()
  const first = scripted({
    tools: [tool('get', readOnly), tool('set'), tool('drop')],
    prompts: [{ name: 'p' }],
    resources: [{ uri: 'a:1', name: 'a' }],
  })
  await harness.add({ name: 'first', ...first.row })
  await harness.add({ name: 'second', ...scripted({ tools: [tool('get', readOnly)] }).row })
  await harness.database.sql`insert into tenants (id, name) values ('there', 'There')`
  await toolNames(harness.portal)
})
afterAll(async () => await harness.stop())

const call = async (name: string, of = client()) =>
  await harness.portal.request(callOf('tools/call', { name }, { client: of }))

test('a portal shows its servers and tools, and what it does not show cannot be called there', async () => {
  await harness.setPortal('some', { servers: ['first'], tools: { allow: ['first'], deny: ['*/drop'] } })
  const some = client({ portal: 'some' })
  expect(await toolNames(harness.portal, some)).toEqual(['first__get', 'first__set'])
  expect(errorOf(await call('first__drop', some)).message).toContain('Unknown tool')
  expect(errorOf(await call('second__get', some)).message).toContain('Unknown tool')
  expect('result' in (await call('first__set', some))).toBe(true)
  const all = resultOf(await harness.portal.request(callOf('tools/list', {}, { client: some })))
  expect(all.tools).toHaveLength(2)
})

test('a portal that only reads has tools that say so, and no switches', async () => {
  await harness.setPortal('reading', { read_only: true })
  const reading = client({ portal: 'reading', principal: principal(['admin']) })
  expect(await toolNames(harness.portal, reading)).toEqual(['first__get', 'second__get'])
  const { tools } = resultOf(await harness.portal.request(callOf('tools/list', {}, { client: reading })))
  const names = tools.map(({ name }: { name: string }) => name)
  expect(names).toContain('portal_list_servers')
  expect(names).not.toContain('portal_toggle_servers')
  expect(errorOf(await call('first__set', reading)).code).toBe(-32602)
  const through = callOf(
    'tools/call',
    { name: 'call_tool', arguments: { name: 'first__set' } },
    { client: reading },
  )
  expect(errorOf(await harness.portal.request(through)).message).toContain('Unknown tool')
})

test('a key sees what its rule allows, calls what its rule allows, and nothing of another tenant', async () => {
  await harness.setVisibility(key, {
    see: { deny: ['first/drop', 'first/a:*'] },
    call: { allow: ['first'], deny: ['first/set'] },
  })
  const limited = client({ principal: principal(['call'], key) })
  expect(await toolNames(harness.portal, limited)).toEqual(['first__get', 'first__set', 'second__get'])
  expect('result' in (await call('first__get', limited))).toBe(true)
  expect(errorOf(await call('first__set', limited)).code).toBe(-31_010)
  expect(errorOf(await call('second__get', limited)).code).toBe(-31_010)
  expect(errorOf(await call('first__drop', limited)).code).toBe(-32_602)
  const read = callOf('resources/read', { uri: 'a:1' }, { client: limited })
  expect(errorOf(await harness.portal.request(read)).code).toBe(-32_002)
  const direct = callOf('resources/read', { uri: 'portal://first/a:1' }, { client: limited })
  expect(errorOf(await harness.portal.request(direct)).code).toBe(-32_002)

  const stranger = client({ principal: { ...principal(), tenant: 'there' } })
  expect(await toolNames(harness.portal, stranger)).toEqual([])
  expect(errorOf(await call('first__get', stranger)).code).toBe(-32_602)
})

test('of a server that a key may see nothing of, it hears nothing: no name, no instructions, no failure', async () => {
  const [hidden, partly] = [crypto.randomUUID(), crypto.randomUUID()]
  await harness.add({ name: 'third', command: '/nowhere/third', args: [] })
  await harness.setVisibility(hidden, { see: { deny: ['third'] } })
  await harness.setVisibility(partly, { see: { allow: ['third/get', 'sluice'] } })
  const heard = async (keyId: string) => {
    const of = client({ principal: principal(['call'], keyId) })
    const list = await harness.portal.request(callOf('tools/list', {}, { client: of }))
    const shown = await call('portal_list_servers', of)
    return [list, shown, harness.portal.offer(of)].map((one) => JSON.stringify(one))
  }
  for (const text of await heard(hidden)) expect(text).not.toContain('third')
  for (const text of await heard(partly)) expect(text).toContain('third')
  for (const text of await heard(partly)) expect(text).not.toContain('second')
  await harness.remove('third')
})

test('who may only list calls nothing, and sees none of its own tools', async () => {
  const guest = client({ principal: principal([]) })
  const { tools } = resultOf(await harness.portal.request(callOf('tools/list', {}, { client: guest })))
  expect(tools.map(({ name }: { name: string }) => name)).toContain('first__get')
  expect(tools.map(({ name }: { name: string }) => name)).not.toContain('search_tools')
  expect(errorOf(await call('first__get', guest)).code).toBe(-31_010)
  expect(errorOf(await call('portal_list_servers', guest)).code).toBe(-32_602)
  const prompt = callOf('prompts/get', { name: 'first__p' }, { client: guest })
  expect(errorOf(await harness.portal.request(prompt)).code).toBe(-31_010)
})
