import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { planFor } from '#llm'
import { newRouteBody } from '../../../src/llm/routing/shapes.ts'
import type { Reply } from '../../support/upstream.ts'
import { type RoutedGateway, routedGateway } from './support.ts'

setDefaultTimeout(30_000)

let gateway: RoutedGateway
let running: RoutedGateway | null = null
afterEach(async () => {
  await running?.stop()
  running = null
})

const ok = (name: string) => (reply: Reply) => reply.answer(200, {}, `{"who":"${name}"}`)
const secret = 'Why is password = "hunter2-is-mine" not accepted?'
const harmless = 'What is the capital of France?'
const here = { candidates: [{ provider: 'two' }] }

/** Providers behind the vendors' names, `one` elsewhere, `two` on own machines. */
async function start(): Promise<void> {
  gateway = await routedGateway([ok('native'), ok('one'), ok('two')])
  running = gateway
  await gateway.database.sql`update providers set local = true where name = 'two'`
}

function question(content: string): string {
  return JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 9, messages: [{ role: 'user', content }] })
}

function post(path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  return fetch(gateway.url + path, { method: 'POST', body, headers })
}

const error = async (response: Response) => (await response.json()) as Record<string, unknown>

test('a binding policy refuses a call that names a provider elsewhere, in the shape of its dialect, on record', async () => {
  await start()
  await gateway.route('inside', { ...here, policy: 'compliance_local_only' })
  expect(await (await post('/p/one/v1/messages', question(harmless))).text()).toBe('{"who":"one"}')

  await gateway.route('inside', { ...here, policy: 'compliance_local_only', binding: true })
  const refused = await post('/p/one/v1/messages', question(harmless), { 'sluice-sensitivity': 'public' })
  expect(refused.status).toBe(403)
  expect(await error(refused)).toMatchObject({ type: 'error', error: { type: 'permission_error' } })
  const { open, end, request } = await gateway.record(refused)
  expect(end).toMatchObject({ outcome: 'rejected', error: 'kept-local', status: 403 })
  expect([open.provider, Buffer.from(request).toString()]).toEqual(['one', question(harmless)])

  const chat = await error(await post('/p/openai/v1/chat/completions', question(harmless)))
  expect(chat).toMatchObject({ error: { code: 'kept_local' } })
  expect(JSON.stringify(chat)).toContain('the policy compliance_local_only of the route inside')
  const gemini = await error(
    await post('/p/gemini/v1beta/models/gemini-x:generateContent', '{"contents":[]}'),
  )
  expect(gemini).toMatchObject({ error: { code: 403, status: 'PERMISSION_DENIED' } })
  expect(gateway.upstream.seen.length + (gateway.others[0]?.seen.length ?? 0)).toBe(1)
})

test('what a binding policy lets go arrives as it was sent, at whom it names', async () => {
  await start()
  await gateway.route('inside', { ...here, policy: 'enterprise_residency', binding: true })
  const body = question(harmless)
  const sent = await post('/p/one/v1/messages', body, { 'sluice-sensitivity': 'public' })
  expect([sent.status, sent.headers.get('sluice-route')]).toEqual([200, null])
  expect((await gateway.others[0]?.request(0))?.body.toString()).toBe(body)
  expect((await post('/p/one/v1/messages', question(secret))).status).toBe(403)
  expect(await (await post('/p/two/v1/messages', question(secret))).text()).toBe('{"who":"two"}')
  // A stream without a length is read for it, and goes on whole.
  const chunks = new ReadableStream({
    start(controller) {
      for (const half of [body.slice(0, 40), body.slice(40)]) controller.enqueue(Buffer.from(half))
      controller.close()
    },
  })
  const init = { method: 'POST', body: chunks, headers: { 'sluice-sensitivity': 'public' } }
  expect((await fetch(`${gateway.url}/p/one/v1/messages`, init)).status).toBe(200)
  expect((await gateway.others[0]?.request(1))?.body.toString()).toBe(body)
})

test('nobody gets past a binding policy by being unreadable, by files or over a WebSocket', async () => {
  await start()
  const match = { sensitivity: ['critical'], models: ['claude-*'], dialects: ['anthropic'] }
  await gateway.route('inside', { ...here, match, policy: 'default_local_first', binding: true })
  const packed = { 'content-encoding': 'gzip' }
  expect((await post('/p/one/v1/messages', 'no gzip', packed)).status).toBe(403)
  expect((await post('/v1/messages', 'no gzip', packed)).status).toBe(403)
  expect((await post('/p/one/v1/messages', question(harmless))).status).toBe(200)
  expect((await post('/p/openai/v1/files', secret)).status).toBe(200)

  await gateway.route('inside', { ...here, policy: 'default_local_first', binding: true })
  for (const path of ['/p/openai/v1/files', '/v1/files', '/v1/messages/batches', '/p/one/anything'])
    expect([path, (await post(path, harmless)).status]).toEqual([path, 403])
  expect((await fetch(`${gateway.url}/p/one/v1/models`)).status).toBe(200)
  const upgrade = {
    ...{ connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' },
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  }
  expect((await fetch(`${gateway.url}/p/openai/v1/responses`, { headers: upgrade })).status).toBe(426)
})

test('every binding rule that is about a call is asked, and what is decided elsewhere is held too', async () => {
  await start()
  const lenient = { ...here, match: { models: ['claude-*'] }, policy: 'default_local_first', binding: true }
  await gateway.route('lenient', lenient, 10)
  await gateway.route('strict', { ...here, policy: 'compliance_local_only', binding: true }, 20)
  const refused = await post('/p/one/v1/messages', question(harmless))
  expect(JSON.stringify(await error(refused))).toContain('of the route strict')
  // A replay at another provider, translated or not, names it as well.
  const request = new Request('http://sluice.internal/v1/messages', {
    ...{ method: 'POST', body: question(harmless), headers: { 'content-type': 'application/json' } },
  })
  const target = { provider: 'openai', dialect: 'anthropic', path: '/v1/messages' }
  const crossed = await gateway.proxy.handle(request, { ...target, plan: planFor('openai', null) }, null)
  expect(crossed.status).toBe(403)
  // Where rules send it, the first that matches has the word, as ever.
  expect(await (await post('/v1/messages', question(harmless))).text()).toBe('{"who":"two"}')
})

test('only a policy can bind', () => {
  const route = { name: 'a', ...here, binding: true }
  expect(newRouteBody.safeParse(route).error?.issues[0]?.path).toEqual(['binding'])
  expect(newRouteBody.safeParse({ ...route, policy: 'compliance_local_only' }).success).toBe(true)
})
