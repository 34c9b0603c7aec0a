import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { until } from '../../support/until.ts'
import {
  callOf,
  client,
  type Harness,
  listening,
  openHarness,
  principal,
  scripted,
  tool,
  toolNames,
} from './support.ts'

setDefaultTimeout(30_000)
let harness: Harness

beforeEach(async () => {
  harness = await openHarness()
})
afterEach(async () => await harness.stop())

const second = { ms: 1_000 }
const tools = { kind: 'tools' } as const

test('C2: a server’s change reaches every client within a second, idle or mid-call', async () => {
  const server = scripted({ tools: [tool('one')], silent: 'tools/call' })
  await harness.add({ name: 'it', ...server.row })
  await toolNames(harness.portal)
  const idle = listening(harness.portal)
  const busy = listening(harness.portal, client({ session: 'busy' }))
  const stop = new AbortController()
  const call = harness.portal.request(callOf('tools/call', { name: 'it__one' }, { signal: stop.signal }))

  server.offer({ tools: [tool('one'), tool('two')], silent: 'tools/call' })
  await until('both are told', () => idle.told.length > 0 && busy.told.length > 0, second)
  expect([idle.told, busy.told]).toEqual([[tools], [tools]])
  expect(await toolNames(harness.portal)).toEqual(['it__one', 'it__two'])
  stop.abort()
  await call
})

test('C2: our own change of configuration is told as well: added, switched, switched by tool, changed, removed', async () => {
  const server = scripted({ tools: [tool('one'), tool('two')] })
  const { told } = listening(harness.portal)
  const next = async (what: string, names: string[]) => {
    await until(`${what} is told`, () => told.length > 0, second)
    await until(`${what} shows`, async () => Bun.deepEquals(await toolNames(harness.portal), names), second)
    told.length = 0
  }
  await harness.add({ name: 'it', ...server.row })
  await next('a new server', ['it__one', 'it__two'])
  await harness.change('it', { tools: { one: { enabled: false } } })
  await next('a tool switched off', ['it__two'])
  await harness.change('it', { enabled: false })
  await next('a server switched off', [])
  await harness.change('it', { enabled: true, tools: { one: { enabled: true } } })
  await next('a server switched on', ['it__one', 'it__two'])
  await harness.change('it', { namespace: 'new' })
  await next('another prefix', ['new__one', 'new__two'])
  await harness.remove('it')
  await next('a server removed', [])
  expect(harness.upstreams.pids()).toEqual([])
})

test('C2: prompts and resources that change are told as such, to those who want to hear of them', async () => {
  const server = scripted({ prompts: [{ name: 'p' }], resources: [{ uri: 'a:1', name: 'a' }] })
  await harness.add({ name: 'it', ...server.row })
  await toolNames(harness.portal)
  const all = listening(harness.portal)
  const toolsOnly: unknown[] = []
  const interest = { tools: true, prompts: false, resources: false, resourceUris: [] }
  harness.portal.listen(client(), interest, (change) => toolsOnly.push(change))
  server.set({ prompts: [{ name: 'q' }], resources: [{ uri: 'a:2', name: 'a' }] })
  server.tell('notifications/prompts/list_changed')
  await until('both are told', () => all.told.length === 2, second)
  expect(all.told).toEqual([{ kind: 'prompts' }, { kind: 'resources' }])
  expect(toolsOnly).toEqual([])
})

test('who may not see a change hears nothing of it', async () => {
  const key = crypto.randomUUID()
  await harness.setVisibility(key, { see: { deny: ['secret'] } })
  const shut = listening(harness.portal, client({ principal: principal(['call'], key) }))
  const open = listening(harness.portal)
  await harness.add({ name: 'secret', ...scripted({ tools: [tool('one')] }).row })
  await until('the other is told', () => open.told.length > 0, second)
  expect(shut.told).toEqual([])
  expect(await toolNames(harness.portal, client({ principal: principal(['call'], key) }))).toEqual([])
})

test('a rule that concerns one key is told to that key alone, who listened with others until then', async () => {
  await harness.add({ name: 'it', ...scripted({ tools: [tool('one')] }).row })
  await toolNames(harness.portal)
  const other = listening(harness.portal)
  const key = crypto.randomUUID()
  const concerned = listening(harness.portal, client({ principal: principal(['call'], key) }))
  await harness.setVisibility(key, { see: { deny: ['it'] } })
  await until('it is told', () => concerned.told.length > 0, second)
  expect([concerned.told, other.told]).toEqual([[tools], []])
})

test('a server that changes its tools all the time is not asked all the time, and its last word counts', async () => {
  const server = scripted({ tools: [tool('t0')] })
  await harness.add({ name: 'it', ...server.row })
  await toolNames(harness.portal)
  const { told } = listening(harness.portal)
  const asked = () => server.seen().filter(({ method }) => method === 'tools/list').length
  const before = asked()
  const startedAt = Date.now()
  for (let at = 1; at <= 300; at += 1) {
    server.offer({ tools: [tool(`t${at}`)] })
    await toolNames(harness.portal)
  }
  await until('its last word counts', async () => (await toolNames(harness.portal))[0] === 'it__t300', second)
  const seconds = (Date.now() - startedAt) / 1_000
  expect(asked() - before).toBeLessThanOrEqual(2 + seconds / 0.3)
  expect(told.length).toBeLessThanOrEqual(2 + seconds / 0.3)
})

test('a server that does not tell of changes is asked now and then', async () => {
  const polling = await openHarness({ pollMs: 100 })
  const server = scripted({ tools: [tool('one')], quiet: true })
  await polling.add({ name: 'it', ...server.row })
  expect(await toolNames(polling.portal)).toEqual(['it__one'])
  const { told } = listening(polling.portal)
  server.set({ tools: [tool('two')], quiet: true })
  await until('its change is found', () => told.length > 0)
  expect(await toolNames(polling.portal)).toEqual(['it__two'])
  await polling.stop()
})

test('a thousand listeners are told of a switch within a second', async () => {
  await harness.add({ name: 'it', ...scripted({ tools: [tool('one')] }).row })
  await toolNames(harness.portal)
  const all = Array.from({ length: 1_000 }, (_, at) =>
    listening(harness.portal, client({ session: `s${at}` })),
  )
  const startedAt = performance.now()
  await harness.change('it', { enabled: false })
  await until('all are told', () => all.every(({ told }) => told.length === 1), second)
  expect(performance.now() - startedAt).toBeLessThan(1_000)
  for (const { stop } of all) stop()
  await harness.change('it', { enabled: true })
  await until('the tools are back', async () => (await toolNames(harness.portal)).length === 1, second)
  expect(all.every(({ told }) => told.length === 1)).toBe(true)
})

test('a change on one gateway is in force on another, and its clients are told, within a second', async () => {
  const other = await openHarness({ database: harness.database })
  const { told } = listening(other.portal)
  await harness.add({ name: 'it', ...scripted({ tools: [tool('one')] }).row })
  await until('a client of the other gateway is told', () => told.length > 0, second)
  await until('it sees it', async () => (await toolNames(other.portal))[0] === 'it__one', second)
  await harness.change('it', { enabled: false })
  await until('it is told again', () => told.length === 2, second)
  expect(await toolNames(other.portal)).toEqual([])
  await other.stop()
})
