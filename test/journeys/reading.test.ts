import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { spawnProcess } from '../support/process.ts'
import { type Exchange, type Page, type Product, startProduct } from './product.ts'

setDefaultTimeout(120_000)

let product: Product

beforeAll(async () => {
  product = await startProduct('postgres')
})

afterAll(() => product.stop())

const ask = (path: string, init: RequestInit = {}) =>
  fetch(`${product.url}${path}`, {
    ...init,
    headers: { 'sluice-key': product.adminKey, 'content-type': 'application/json', ...init.headers },
  })

async function said(text: string): Promise<string> {
  const body = { model: 'mock-1', max_tokens: 64, messages: [{ role: 'user', content: text }] }
  const answer = await ask('/p/mock/v1/messages', { method: 'POST', body: JSON.stringify(body) })
  expect(answer.status).toBe(200)
  return await answer.text()
}

test('what was said through the gateway is followed, listed, found, read, exported and sent again', async () => {
  const stop = new AbortController()
  const tail = await ask('/api/tail?provider=mock', { signal: stop.signal })
  const reader = tail.body?.getReader()
  const answer = await said('Where is the aardvark?')

  let followed = ''
  while (!followed.includes('event: exchange'))
    followed += new TextDecoder().decode((await reader?.read())?.value)
  await product.settled()
  const { items } = await product.read<Page<Exchange>>('/api/exchanges?provider=mock')
  expect(items.length).toBe(1)
  const [exchange] = items
  expect(followed).toContain(exchange?.id ?? '?')
  expect(await (await ask(`/api/exchanges/${exchange?.id}/response?decoded=1`)).text()).toBe(answer)

  type Hit = { conversation_id: string; snippet: string }
  let hits: Hit[] = []
  while (hits.length === 0) hits = (await product.read<Page<Hit>>('/api/search?q=aardvark&role=user')).items
  expect(hits[0]).toMatchObject({
    conversation_id: exchange?.conversation_id,
    snippet: 'Where is the aardvark?',
  })

  const exported = await ask(`/api/conversations/${exchange?.conversation_id}/export?format=anthropic`)
  expect(await exported.json()).toMatchObject({ messages: [{ role: 'user' }, { role: 'assistant' }] })

  const env = { SLUICE_URL: product.url, SLUICE_KEY: product.adminKey }
  const replay = spawnProcess(['bun', 'scripts/replay.ts', exchange?.id ?? '', '--model', 'mock-2'], { env })
  expect(await replay.exited).toBe(0)
  const id = /exchange ([0-9a-f-]{36})/.exec(replay.lines.join('\n'))?.[1]
  await product.settled()
  expect(await product.read(`/api/exchanges/${id}`)).toMatchObject({
    replay_of: exchange?.id,
    model_asked: 'mock-2',
    outcome: 'completed',
  })

  const lines = (await (await ask('/api/export?bodies=1')).text()).trimEnd().split('\n')
  expect(lines.length).toBe(3)
  stop.abort()
})

test('followers do not hold up a stop', async () => {
  const tail = await ask('/api/tail')
  expect(tail.status).toBe(200)
  const began = performance.now()
  expect(await product.gateway().kill('SIGTERM')).toBe(0)
  expect(performance.now() - began).toBeLessThan(4_000)
  expect(await tail.text()).toContain('gateway-stops')
})
