import { afterAll, beforeAll, expect, test } from 'bun:test'
import { adminKey, bearer } from '../access/support.ts'
import { ignore, note, noteQueue } from '../broker/server.ts'
import { ask } from '../processes/support.ts'
import { until } from '../support/until.ts'
import { type TestBoard, testBoard } from './support.ts'

let one: TestBoard

beforeAll(async () => {
  one = await testBoard(undefined, noteQueue({ opaque: true }))
  await one.broker.producer(one.queue).enqueue(note('secret'), { id: 'first' })
})
afterAll(() => one[Symbol.asyncDispose]())

const get = (path: string, key = adminKey) => ask(one.app, `/queues/board${path}`, { headers: bearer(key) })

test('bull-board has its page, its files and its queues, with and without a trailing slash', async () => {
  for (const path of ['', '/', `/queue/${one.queue.name}`]) {
    const { status, text, headers } = await get(path)
    expect([path, status]).toEqual([path, 200])
    expect(text).toContain('<base href="/queues/board/" />')
    expect(text).not.toContain('<%')
    expect(text).not.toContain('googleapis')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
  }
  const script = /static\/js\/main\.\w+\.js/.exec((await get('')).text)?.[0]
  expect((await get(`/${script}`)).headers.get('content-type')).toContain('javascript')
  expect((await get('/static/../index.ejs')).status).toBe(404)
  expect((await get('/static/%2e%2e/index.ejs')).status).toBe(404)
  const { json } = await get(`/api/queues?activeQueue=${one.queue.name}&status=latest&page=1&jobsPerPage=10`)
  const found = json.queues.find(({ name }: { name: string }) => name === one.queue.name)
  expect(found).toMatchObject({ counts: { waiting: 1 }, readOnlyMode: false })
  expect(found.jobs[0].data).toBe('not for people')
})

test('Q8: it is behind the login: read-only for readers, nothing for others, and each act is on record', async () => {
  const anonymous = await ask(one.app, '/queues/board', { headers: { accept: 'text/html' } })
  expect([anonymous.status, anonymous.headers.get('location')]).toEqual([303, '/queues'])
  expect((await ask(one.app, '/queues/board/api/queues')).status).toBe(401)

  const reader = await one.keyWith(['read'])
  const seen = (await get('/api/queues', reader)).json.queues
  expect(seen.every(({ readOnlyMode }: { readOnlyMode: boolean }) => readOnlyMode)).toBe(true)
  const path = `/queues/board/api/queues/${one.queue.name}/pause`
  const pause = (headers: Headers) => ask(one.app, path, { method: 'PUT', headers })
  expect((await pause(bearer(reader))).status).toBe(403)
  await one.sql`insert into tenants (id, name) values ('apart', 'Apart')`
  expect((await get('', await one.keyWith(['read'], 'apart'))).status).toBe(403)

  expect((await pause(bearer(adminKey))).status).toBe(200)
  expect(await one.broker.inspect(one.queue).overview()).toMatchObject({ paused: true })
  const { json } = await ask(one.app, '/api/audit?action=board.', { headers: bearer(adminKey) })
  expect(json.items).toMatchObject([
    { subject: `board:/api/queues/${one.queue.name}/pause`, outcome: 'done' },
  ])
})

test('Q8: with a session it acts for its own page alone', async () => {
  const login = await ask(one.app, '/api/login', {
    method: 'POST',
    headers: { 'sec-fetch-site': 'same-origin', 'sluice-csrf': '1' },
    body: JSON.stringify({ key: adminKey }),
  })
  const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? ''
  const resume = (headers: Record<string, string>) =>
    ask(one.app, `/queues/board/api/queues/${one.queue.name}/resume`, {
      method: 'PUT',
      headers: { cookie, ...headers },
    })
  expect((await resume({ 'sec-fetch-site': 'cross-site' })).status).toBe(403)
  expect((await resume({})).status).toBe(403)
  expect((await resume({ 'sec-fetch-site': 'same-origin' })).status).toBe(200)
})

test('it shows the workers that there are', async () => {
  const path = `/api/queues/${one.queue.name}/workers`
  expect((await get(path)).json).toEqual({ workers: [] })
  const consumer = one.broker.consume(one.queue, async () => {}, { onError: ignore })
  await until('the worker is seen', async () => (await get(path)).json.workers.length === 1)
  expect((await get(path)).json.workers).toMatchObject([
    { name: 'worker of the tests', addr: expect.stringContaining(String(process.pid)) },
  ])
  await consumer.close()
  await until('it has left', async () => (await get(path)).json.workers.length === 0)
})
