import { afterAll, beforeAll, expect, test } from 'bun:test'
import { placesOf } from './places.ts'
import { type Product, startProduct } from './product.ts'

const canary = 'zebrafinch'
let product: Product

beforeAll(async () => {
  product = await startProduct('postgres', { CAPTURE: 'metadata' })
}, 60_000)
afterAll(() => product.stop())

test('metadata mode: no word of a prompt or answer is in a file, a job, a table or a log', async () => {
  for (const model of ['mock-echo', 'mock-slow-20+echo', 'mock-error-500']) {
    const answer = await fetch(`${product.url}/p/mock/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ model, max_tokens: 64, stream: model.includes('slow') },
        messages: [{ role: 'user', content: `${canary} `.repeat(20) }],
      }),
    })
    const said = await answer.text()
    if (model === 'mock-echo') expect(said).toContain(canary)
  }
  await product.settled()
  expect(await product.sql`select 1 from exchanges`).toHaveLength(3)

  const places = await placesOf(product)
  expect(places.size).toBeGreaterThan(15)
  expect([...places].filter(([, text]) => text.includes(canary)).map(([name]) => name)).toEqual([])
}, 60_000)
