import { afterEach, expect, test } from 'bun:test'
import { type TestGateway, testGateway } from './proxy-support.ts'

let gateway: TestGateway
afterEach(() => gateway.stop())

const page = '<script>fetch("/api/keys")</script>'
const html = { 'content-type': 'text/html; charset=utf-8' }
const session = { cookie: 'a=b; sluice_session=v2.x.y' }
const get = (headers: Record<string, string>, path = '/p/anthropic/page') =>
  fetch(`${gateway.url}${path}`, { headers: { 'x-api-key': 'theirs', ...headers } })
const policy = async (headers: Record<string, string>) =>
  (await get(headers)).headers.get('content-security-policy')

test('what a browser opens as a page may do nothing there; the record has it as it came', async () => {
  gateway = await testGateway((reply) =>
    reply.answer(200, { ...html, 'content-security-policy': 'img-src x' }, page),
  )
  for (const dest of ['document', 'iframe', 'frame', 'embed', 'object', 'fencedframe']) {
    for (const path of ['/p/anthropic/page', '/v1/files', '/v1beta/files', '/download/v1beta/x']) {
      const answer = await get({ 'sec-fetch-dest': dest }, path)
      expect([path, answer.headers.get('content-security-policy')]).toEqual([path, 'img-src x, sandbox'])
      expect(await answer.text()).toBe(page)
    }
  }
  const answer = await get({ 'sec-fetch-dest': 'document' })
  const { end, response } = await gateway.record(answer)
  const recorded = new Headers(end.response_headers as [string, string][])
  expect(recorded.get('content-security-policy')).toBe('img-src x')
  expect(Buffer.from(response).toString()).toBe(page)
})

test('what it says nothing of its use, as over plain HTTP: by session and accept', async () => {
  let type = html['content-type']
  gateway = await testGateway((reply) => reply.answer(200, type === '' ? {} : { 'content-type': type }, page))
  const accept = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
  const sandboxed = async () => [await policy(accept), await policy(session)]
  for (type of ['text/html', 'TEXT/HTML', 'image/svg+xml', 'application/xhtml+xml', 'text/xml', ''])
    expect([type, ...(await sandboxed())]).toEqual([type, 'sandbox', 'sandbox'])
  for (type of ['application/json', 'text/event-stream', 'text/plain', 'audio/mpeg'])
    expect([type, ...(await sandboxed())]).toEqual([type, null, null])
  for (type of ['text/javascript', 'application/x-javascript; charset=utf-8', 'text/css']) {
    const { headers } = await get(session)
    expect([headers.get('content-type'), headers.get('x-content-type-options')]).toEqual([
      ...['text/plain', 'nosniff'],
    ])
  }
})

test('to programs nothing is another: no header, whatever comes', async () => {
  gateway = await testGateway((reply, { path }) =>
    reply.answer(200, { 'content-type': path.endsWith('js') ? 'text/javascript' : 'text/html' }, page),
  )
  for (const headers of [{}, { 'sec-fetch-mode': 'cors' }, { 'sec-fetch-dest': 'empty', ...session }]) {
    for (const path of ['/p/anthropic/page', '/p/anthropic/js', '/v1/files']) {
      const answer = await get(headers, path)
      const names = [...answer.headers.keys()].filter((name) => name !== 'date').sort()
      expect(names).toEqual(['content-length', 'content-type', 'sluice-exchange'])
      expect(await answer.text()).toBe(page)
    }
  }
})

test('nothing of an upstream is code for a page of ours: it is not even asked', async () => {
  gateway = await testGateway((reply) => reply.answer(200, { 'content-type': 'text/javascript' }, 'alert(1)'))
  const codes = ['script', 'worker', 'sharedworker', 'serviceworker', 'style', 'manifest', 'xslt', 'of-2040']
  for (const dest of codes) {
    const answer = await get({ 'sec-fetch-dest': dest })
    expect([dest, answer.status]).toEqual([dest, 403])
    expect(await answer.text()).not.toContain('alert')
    expect((await gateway.record(answer)).end).toMatchObject({ outcome: 'rejected', status: 403 })
  }
  expect((await get({ 'service-worker': 'script' })).status).toBe(403)
  expect(gateway.upstream.seen).toHaveLength(0)
})

test('no upstream begins or ends a session of ours; its own cookies pass', async () => {
  const cookies = [
    'sluice_session=theirs; Path=/',
    '=sluice_session=theirs',
    'sluice_sessions=1',
    'a=b; Path=/',
  ]
  gateway = await testGateway((reply) => reply.answer(200, { ...html, 'set-cookie': cookies }, page))
  const answer = await get({})
  expect(answer.headers.getSetCookie()).toEqual(cookies.slice(2))
})
