import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import type { Client } from '../../../src/mcp/portal/portal.ts'
import {
  callOf,
  client,
  errorOf,
  type Harness,
  openHarness,
  resultOf,
  scripted,
  tool,
  toolNames,
} from './support.ts'

setDefaultTimeout(30_000)
const line = 'a line of many words\n'
const text = line.repeat(1_000)
const limit = 2_000
const stored: { name: string; exchange: string; result: string }[] = []

const server = scripted({
  prompts: [{ name: 'long' }],
  resources: [
    { uri: 'file:///long.txt', name: 'long' },
    { uri: 'file:///image', name: 'image' },
  ],
})
let harness: Harness

beforeAll(async () => {
  harness = await openHarness({
    async storeOverflow({ name, of, result }) {
      const exchange = String(of)
      stored.push({ name, exchange, result })
      return { uri: `sluice://overflow/${exchange}`, bytes: Buffer.byteLength(result) }
    },
  })
  await harness.add({ name: 'hub', ...server.row, max_result_bytes: limit })
  await toolNames(harness.portal)
})
afterAll(async () => await harness.stop())

function answers(method: string, result: object): void {
  server.set({ results: { [method]: result } })
}

const ask = async (method: string, params: object, of: Client = client()) =>
  await harness.portal.request(callOf(method, params, { client: of }))

test('C10: of a prompt that is too large the first messages are sent, and the whole is linked', async () => {
  const messages = [
    { role: 'user', content: { type: 'text', text: 'First of all' } },
    { role: 'assistant', content: { type: 'text', text } },
  ]
  answers('prompts/get', { description: 'long', messages })
  const given = resultOf(await ask('prompts/get', { name: 'hub__long' }))
  expect(Buffer.byteLength(JSON.stringify(given))).toBeLessThan(limit)
  expect(given.messages[0]).toEqual(messages[0])
  expect(given.messages[1].role).toBe('assistant')
  expect(given.messages[1].content.text).toStartWith(line)
  expect(given.messages[2].content.text).toContain(`the limit of the server hub is ${limit}`)
  expect(given.messages[3].content).toMatchObject({ type: 'resource_link', uri: expect.any(String) })
  expect(JSON.parse(stored.at(-1)?.result ?? '').messages).toEqual(messages)
  const old = resultOf(
    await ask('prompts/get', { name: 'hub__long' }, client({ protocolVersion: '2025-03-26' })),
  )
  expect(old.messages.map(({ content }: { content: { type: string } }) => content.type)).toEqual([
    'text',
    'text',
    'text',
  ])
})

test('C10: of a resource that is too large the beginning is sent as plain text, and the whole is linked', async () => {
  const uri = 'file:///long.txt'
  answers('resources/read', { contents: [{ uri, mimeType: 'application/json', text, extra: 1.5 }] })
  const { contents } = resultOf(await ask('resources/read', { uri }))
  expect(Buffer.byteLength(JSON.stringify(contents))).toBeLessThan(limit)
  expect(contents[0]).toMatchObject({ uri, mimeType: 'text/plain', extra: 1.5 })
  expect(text).toStartWith(contents[0].text)
  expect(contents[1]).toMatchObject({ uri: `sluice://overflow/${stored.at(-1)?.exchange}` })
  expect(contents[1].text).toContain(String(limit))
  const modern = client({ era: 'modern', session: null, protocolVersion: '2026-07-28' })
  const read = resultOf(await ask('resources/read', { uri }, modern))
  expect(read).toMatchObject({ resultType: 'complete', ttlMs: 0, cacheScope: 'private' })
})

test('C10: a resource of bytes cannot be cut: the error names the limit, and where the whole is', async () => {
  const blob = Buffer.from(text).toString('base64')
  answers('resources/read', { contents: [{ uri: 'file:///image', blob }] })
  const error = errorOf(await ask('resources/read', { uri: 'file:///image' }))
  expect(error.code).toBe(-31_004)
  expect(error.message).toContain(`more than the limit of ${limit}`)
  expect(JSON.parse(error.data ?? '')).toMatchObject({
    limit,
    uri: `sluice://overflow/${stored.at(-1)?.exchange}`,
  })
})

test('a result that asks for input is not cut: it is an error with the limit', async () => {
  const requestState = 'x'.repeat(5_000)
  answers('prompts/get', { resultType: 'input_required', inputRequests: {}, requestState })
  const modern = client({ era: 'modern', session: null, protocolVersion: '2026-07-28' })
  const error = errorOf(await ask('prompts/get', { name: 'hub__long' }, modern))
  expect([error.code, error.message]).toEqual([-31_004, expect.stringContaining(String(limit))])
})

test('two results that are too large have a link each, be they of one request of the client', async () => {
  answers('resources/read', { contents: [{ uri: 'file:///long.txt', text }] })
  const before = stored.length
  const call = callOf('resources/read', { uri: 'file:///long.txt' })
  await Promise.all([harness.portal.request(call), harness.portal.request(call)])
  const exchanges = stored.slice(before).map(({ exchange }) => exchange)
  expect(new Set(exchanges).size).toBe(2)
  expect(exchanges).not.toContain(call.exchange)
})

test('a tool has a time limit of its own, and the others that of the server', async () => {
  const silent = scripted({ tools: [tool('quick'), tool('patient')], silent: 'tools/call' })
  const tools = { quick: { timeout_ms: 100 } }
  await harness.add({ name: 'slow', ...silent.row, timeout_ms: 1_000, tools })
  await toolNames(harness.portal)
  const [quick, patient] = await Promise.all(
    ['quick', 'patient'].map(async (name) => errorOf(await ask('tools/call', { name: `slow__${name}` }))),
  )
  expect(quick).toMatchObject({ code: -31_002, message: expect.stringContaining('in time: 100 ms') })
  expect(patient).toMatchObject({ code: -31_002, message: expect.stringContaining('in time: 1000 ms') })
})
