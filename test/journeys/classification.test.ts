import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { until } from '../support/until.ts'
import { type Engine, type Page, type Product, startProduct } from './product.ts'

type Classified = {
  id: string
  cache: string | null
  tags: string[]
  mode: string
  cost: { micros: number } | null
  conversation_id: string | null
  classes: { task_type: string; source: string } | null
}

/** A call, the record of it, what it was about, and the same answer again, through real processes. */
describe.each<Engine>(['postgres', 'redis'])('after a call, queues on %s', (engine) => {
  let product: Product
  beforeAll(async () => {
    product = await startProduct(engine, { CLASSIFY_MODEL: 'mock/mock' })
    // Started again it knows the gateway's port, which was not known before.
    await product.worker().kill('SIGTERM')
    await product.startWorker()
  }, 60_000)
  afterAll(() => product.stop())

  const call = (content: string, headers: Record<string, string> = {}) =>
    fetch(`${product.url}/p/mock/v1/messages`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
      body: JSON.stringify({ model: 'mock', max_tokens: 64, messages: [{ role: 'user', content }] }),
    })
  const classified = async (id: string | null) => {
    await until(`${id} is classified`, async () => {
      const { items } = await product.read<Page<Classified>>('/api/exchanges')
      return items.some((item) => item.id === id && item.classes !== null)
    })
    return await product.read<Classified>(`/api/exchanges/${id}`)
  }

  test('it is classified by the model, whose call is on record without content and not classified', async () => {
    const answer = await call('Translate "hello" into French, please')
    const id = answer.headers.get('sluice-exchange')
    const found = await classified(id)
    expect(found.classes).toMatchObject({ source: 'mock/mock', task_type: 'code_generation' })
    const { title } = await product.read<{ title: string }>(`/api/conversations/${found.conversation_id}`)
    expect(title).toBeString()
    await product.settled()
    const { items } = await product.read<Page<Classified>>('/api/exchanges?tag=sluice-internal')
    expect(items.map(({ mode, classes }) => ({ mode, classes }))).toEqual([
      { mode: 'metadata', classes: null },
    ])
  }, 20_000)

  test('secrets are classified here, and shown to no model', async () => {
    const answer = await call(`Is AKIA${'B'.repeat(16)} a good key?`)
    const { classes } = await classified(answer.headers.get('sluice-exchange'))
    expect(classes).toMatchObject({ sensitivity: 'critical' })
  }, 20_000)

  test('the cache of the installation gives the same answer again, at no cost', async () => {
    const headers = { 'sluice-cache': 'on' }
    const first = await call('A question', headers)
    const text = await first.text()
    expect(first.headers.get('sluice-cache')).toBe('miss')
    let again = await call('A question', headers)
    await until('it is stored', async () => {
      again = await call('A question', headers)
      return again.headers.get('sluice-cache') === 'hit'
    })
    expect(await again.text()).toBe(text)
    await product.settled()
    const { items } = await product.read<Page<Classified>>('/api/exchanges?cache=hit')
    expect(items.length).toBeGreaterThan(0)
    expect(items[0]?.cost).toMatchObject({ micros: 0 })
  }, 20_000)
})
