import { afterAll, beforeAll, expect, test } from 'bun:test'
import { startGateway, type TestGateway } from '../gateway.ts'
import { endRelays, initialize, startRelay, type TestRelay } from '../relay/support.ts'

let gateway: TestGateway
let relay: TestRelay

beforeAll(async () => {
  gateway = await startGateway()
  relay = startRelay(gateway.url, { key: gateway.adminKey })
  await initialize(relay)
}, 40_000)
afterAll(async () => {
  await endRelays()
  await gateway.stop()
})

async function call(name: string, args: object = {}, meta: object = {}) {
  const { result, error } = await relay.ask('tools/call', { name, arguments: args, ...meta })
  if (error !== undefined || result.isError) throw new Error(`${name}: ${JSON.stringify(error ?? result)}`)
  return result.structuredContent
}

test('an agent finds the tools of Sluice at the gateway, under their own names', async () => {
  const { result } = await relay.ask('tools/list')
  const names: string[] = result.tools.map(({ name }: { name: string }) => name)
  const found = (prefix: string) => names.filter((name) => name.startsWith(prefix)).length
  expect([found('dewey_'), found('fiedler_'), found('portal_')]).toEqual([15, 8, 3])
  for (const name of ['list_exchanges', 'replay_exchange', 'get_cost_report', 'search_tools', 'call_tool'])
    expect(names).toContain(name)
})

test('what it stores is there for people at once', async () => {
  const { conversation_id } = await call('dewey_begin_conversation', { session_id: 'by-hand' })
  await call('dewey_store_message', { conversation_id, role: 'user', content: 'an albatross at sea' })
  const listed = await gateway.api<{ items: { id: string }[] }>('GET', '/api/conversations?session=by-hand')
  expect(listed.items.map(({ id }) => id)).toEqual([conversation_id])
  const found = await gateway.api<{ items: object[] }>('GET', '/api/search?q=albatross')
  expect(found.items).toMatchObject([{ conversation_id, number: 1 }])
})

test('progress of a prompt to many models comes while they answer', async () => {
  const models = ['mock/mock-echo', 'mock/mock-error-500', 'mock/other']
  const meta = { _meta: { progressToken: 'p' } }
  const { results } = await call('fiedler_send', { prompt: 'Hi', models }, meta)
  expect(results.map((one: { status: string }) => one.status)).toEqual(['succeeded', 'failed', 'succeeded'])
  const told = relay.frames.filter(
    ({ method, params }) => method === 'notifications/progress' && params.progressToken === 'p',
  )
  expect(told.map(({ params }) => [params.progress, params.total])).toEqual([
    [0, 3],
    [1, 3],
    [2, 3],
    [3, 3],
  ])
})

test('C10: a result of its own that is too large is read to its end, also after kill -9 of the gateway', async () => {
  const message = 'swift '.repeat(10_000)
  const logs = Array.from({ length: 40 }, () => ({ component: 'birds', level: 'INFO', message }))
  await call('dewey_store_logs_batch', { logs })
  const { result } = await relay.ask('tools/call', {
    name: 'dewey_query_logs',
    arguments: { component: 'birds' },
  })
  const link = result.content.find(({ type }: { type: string }) => type === 'resource_link')
  await gateway.restart()
  let text = ''
  for (let next = link.uri; next !== undefined; ) {
    const { contents } = (await relay.ask('resources/read', { uri: next })).result
    const [, said, rest] =
      /^([\s\S]*)\n\[characters \d+ to \d+ of \d+; go on with (\S+)\]$/.exec(contents[0].text) ?? []
    text += said ?? contents[0].text
    next = rest
  }
  expect(JSON.parse(text)).toMatchObject({ count: 40, logs: logs.map(() => ({ message })) })
}, 30_000)
