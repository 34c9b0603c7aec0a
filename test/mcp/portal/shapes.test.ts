import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { until } from '../../support/until.ts'
import { callOf, client, type Harness, openHarness, resultOf, scripted, tool, toolNames } from './support.ts'

setDefaultTimeout(30_000)
let harness: Harness
const modern = client({ era: 'modern', session: null })

beforeAll(async () => {
  harness = await openHarness()
})
afterAll(async () => await harness.stop())

test('what is no tool is left out and told to the operator; all others stay', async () => {
  const wrong = [
    ...['1', 'null', '"x"', '[]', '{}', '{"name":5,"inputSchema":{"type":"object"}}'],
    ...['{"name":"","inputSchema":{"type":"object"}}', '{"name":"bare"}', '{"name":"n","inputSchema":null}'],
    ...[
      '{"name":"a","inputSchema":{"type":"array"}}',
      '{"name":"d","description":{},"inputSchema":{"type":"object"}}',
    ],
  ]
  const nulls =
    '{"name":"nulls","description":null,"inputSchema":{"type":"object"},"outputSchema":null,"x":1.0}'
  const server = scripted({
    rawTools: [...wrong, nulls, JSON.stringify(tool('good')), JSON.stringify(tool('good'))],
    prompts: [{ name: 'p', arguments: 'none' }, { name: 'q' }],
    resources: [{ uri: 'a:1' }, { uri: 'a:2', name: 'two' }],
    templates: [{ uriTemplate: 5, name: 'x' }],
  })
  const id = await harness.add({ name: 'odd', ...server.row })
  expect(await toolNames(harness.portal)).toEqual(['odd__good', 'odd__nulls'])
  const list = await harness.portal.request(callOf('tools/list'))
  if ('error' in list) throw new Error(list.error.message)
  expect(list.result).toContain('{"name":"odd__nulls","inputSchema":{"type":"object"},"x":1.0}')
  const left = harness.portal.reports.report(id)?.left_out ?? []
  expect(left).toHaveLength(wrong.length + 1 + 3)
  expect(left.join('\n')).toContain('good: there twice')
  const { prompts } = resultOf(await harness.portal.request(callOf('prompts/list')))
  expect(prompts).toEqual([{ name: 'odd__q' }])
  const { resources } = resultOf(await harness.portal.request(callOf('resources/list')))
  expect(resources).toEqual([{ uri: 'a:2', name: 'two' }])
  await harness.remove('odd')
})

test('a legacy client gets structured content, and schemas of it, only where they are objects', async () => {
  const tools = [
    tool('structured', { outputSchema: { type: 'array', items: { type: 'number' } } }),
    tool('plain', { outputSchema: { type: 'object' } }),
  ]
  await harness.add({ name: 'it', ...scripted({ tools }).row })
  await toolNames(harness.portal)
  const schemas = async (of: typeof modern) => {
    const { tools } = resultOf(await harness.portal.request(callOf('tools/list', {}, { client: of })))
    const of_ = (name: string) => tools.find((one: { name: string }) => one.name === name).outputSchema?.type
    return [of_('it__plain'), of_('it__structured')]
  }
  expect(await schemas(client())).toEqual(['object', undefined])
  expect(await schemas(modern)).toEqual(['object', 'array'])
  const call = async (of: typeof modern) =>
    resultOf(await harness.portal.request(callOf('tools/call', { name: 'it__structured' }, { client: of })))
  expect((await call(client())).structuredContent).toBeUndefined()
  expect((await call(modern)).structuredContent).toEqual([1, 2])
  await harness.remove('it')
})

test('more than fits a page comes in pages, each after the last name of the one before', async () => {
  const names = Array.from({ length: 2_300 }, (_, at) => `t${String(at).padStart(4, '0')}`)
  const server = scripted({ tools: names.map((name) => tool(name)) })
  await harness.add({ name: 'many', ...server.row })
  await until('they are there', async () => (await toolNames(harness.portal)).length > 900)
  const found: string[] = []
  let cursor: string | undefined
  let pages = 0
  do {
    const params = cursor === undefined ? {} : { cursor }
    const page = resultOf(await harness.portal.request(callOf('tools/list', params)))
    found.push(...page.tools.map(({ name }: { name: string }) => name))
    cursor = page.nextCursor
    pages += 1
  } while (cursor !== undefined)
  expect(pages).toBe(3)
  expect(found.filter((name) => name.startsWith('many__'))).toEqual(names.map((name) => `many__${name}`))
})
