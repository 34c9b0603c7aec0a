import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { SluiceError } from '#lib/errors'
import { openMock, openProviders } from '#llm'
import { guard } from '../../../src/llm/cache/guard.ts'
import { memoryStore } from '../../../src/llm/cache/memory-store.ts'
import { openResponseCache } from '../../../src/llm/cache/response-cache.ts'
import { openCatalogue } from '../../../src/llm/routing/catalogue.ts'
import { unknownModel } from '../../../src/llm/routing/unknown-model.ts'
import { until } from '../../support/until.ts'
import type { Reply } from '../../support/upstream.ts'
import { quiet } from '../money/support.ts'
import { type RoutedGateway, routedGateway, said } from './support.ts'

setDefaultTimeout(30_000)

let gateway: RoutedGateway | null = null
afterEach(async () => {
  await gateway?.stop()
  gateway = null
})

const answer = JSON.stringify({
  ...{ id: 'a', type: 'message', role: 'assistant', model: 'm', content: [{ type: 'text', text: 'Hi' }] },
  ...{ stop_reason: 'end_turn', usage: { input_tokens: 1, output_tokens: 1 } },
})

test('an answer of the cache names the route that it was asked by, on record too', async () => {
  let stored = 0
  const cache = openResponseCache({
    store: guard(memoryStore({ maxBytes: 1e6 }), { log: quiet }),
    observe: (state) => {
      if (state === 'stored') stored += 1
    },
  })
  const script = (reply: Reply) => reply.answer(200, { 'content-type': 'application/json' }, answer)
  gateway = await routedGateway([script, script], { cache })
  await gateway.route('kept', { candidates: [{ provider: 'one' }], cache: {} })
  const ask = () => fetch(`${gateway?.url}/v1/messages`, { method: 'POST', body: said })
  await (await ask()).text()
  await until('it is stored', () => stored === 1)
  const hit = await ask()
  expect([hit.headers.get('sluice-cache'), hit.headers.get('sluice-route')]).toEqual(['hit', 'kept'])
  expect((await gateway.record(hit)).end).toMatchObject({
    cache: 'hit',
    routed: { route: 'kept', attempts: [] },
  })
})

test('a call that is refused is on record with the route that it would have gone by', async () => {
  const count = () => {
    throw new SluiceError(429, 'rate-limited', 'Too many')
  }
  const money = { count, reserve: count, admitSocket() {} }
  gateway = await routedGateway([() => {}, () => {}], { money })
  await gateway.route('busy', { candidates: [{ provider: 'one' }] })
  const refused = await fetch(`${gateway.url}/v1/messages`, { method: 'POST', body: said })
  expect([refused.status, refused.headers.get('sluice-route')]).toEqual([429, 'busy'])
  expect((await gateway.record(refused)).end).toMatchObject({
    outcome: 'rejected',
    routed: { route: 'busy', provider: null, attempts: [] },
  })
})

test('the models of the mock are near to a slip of the pen, and are found by their names', async () => {
  const mock = await openMock()
  const catalogue = openCatalogue(openProviders({ mock: { baseUrl: mock.url } }))
  expect(catalogue.find('mock-echo')).toEqual({ provider: 'mock', model: 'mock-echo' })
  expect(catalogue.find('mock-ecoh')).toBeNull()
  expect(unknownModel('mock-ecoh', catalogue.names()).message).toContain('mock-echo')
  await mock.close()
})
