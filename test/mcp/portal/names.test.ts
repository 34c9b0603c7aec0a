import { expect, setDefaultTimeout, test } from 'bun:test'
import { assignNames, shortName } from '../../../src/mcp/portal/names.ts'
import { until } from '../../support/until.ts'
import { callOf, client, openHarness, resultOf, scripted, tool, toolNames } from './support.ts'

setDefaultTimeout(30_000)

const naming = (prefix: string, name: string, identity = `${prefix}/${name}`) => ({ prefix, name, identity })

test('C8: a name that is too long keeps its end, and a hash instead of its beginning', () => {
  const long = naming('github', `${'very_'.repeat(20)}create_issue`)
  const rules = { maxLength: 50, plainOnly: true }
  const name = shortName(long, rules)
  expect(name.length).toBeLessThanOrEqual(50)
  expect(name).toStartWith('github__')
  expect(name).toEndWith('very_create_issue')
  expect(shortName(long, rules)).toBe(name)
  expect(shortName({ ...long, identity: 'other' }, rules)).not.toBe(name)
})

test('C8: no two names are the same, whatever servers call themselves and their tools', () => {
  const all = [
    ...[naming('a', 'b__c'), naming('a__b', 'c'), naming('', 'x', '1/x'), naming('', 'x', '2/x')],
    ...Array.from({ length: 500 }, (_, at) =>
      naming(`s${at % 7}`, `${'long_'.repeat(12)}${at % 100}`, `${at}`),
    ),
    ...['😀'.repeat(60), 'é'.repeat(60)].map((name) => naming('emoji', name)),
  ]
  const rules = { taken: ['x'], maxLength: 50, plainOnly: false }
  const names = assignNames(all, rules).map(({ name }) => name)
  expect(new Set(names).size).toBe(all.length)
  expect(names.filter((name) => name.length > 50)).toEqual([])
  expect(names.filter((name) => !name.isWellFormed())).toEqual([])
  expect(names).not.toContain('x')
  const plain = assignNames(all, { ...rules, plainOnly: true }).map(({ name }) => name)
  expect(new Set(plain).size).toBe(all.length)
  expect(plain.filter((name) => !/^[\w.-]{1,50}$/.test(name))).toEqual([])
  expect(assignNames(all, rules).map(({ name }) => name)).toEqual(names)
})

test('C8: a server that calls a tool as another’s was shortened to gets its own name, and takes none', () => {
  const rules = { taken: [], maxLength: 50, plainOnly: true }
  const theirs = naming('a-server-of-some-length', `${'very_'.repeat(20)}create_issue`)
  const short = shortName(theirs, rules)
  const [prefix = '', ...rest] = short.split('__')
  const mine = naming(prefix, rest.join('__'))
  const one = assignNames([mine, theirs], rules).map(({ name }) => name)
  expect(one[0]).toBe(short)
  expect(new Set(one).size).toBe(2)
  const other = assignNames([theirs, mine], rules).map(({ name }) => name)
  expect(other[0]).toBe(short)
  expect(new Set(other).size).toBe(2)
})

test('C8: shortened tools can be called, and are understood for ever, as what they meant is stored', async () => {
  const harness = await openHarness()
  const long = `${'long_'.repeat(15)}tool`
  const server = scripted({ tools: [tool(long), tool('short'), tool('with space/é')] })
  await harness.add({ name: 'one', ...server.row })
  const names = await toolNames(harness.portal)
  const made = names.find((name) => name.endsWith('tool')) ?? ''
  expect(made.length).toBe(50)
  const call = async (name: string) =>
    JSON.parse(resultOf(await harness.portal.request(callOf('tools/call', { name }))).content[0].text).name
  expect(await call(made)).toBe(long)
  const spaced = names.find((name) => name.endsWith('with_space__')) ?? ''
  expect(await call(spaced)).toBe('with space/é')

  await until('the mapping is stored', async () => {
    const rows = await harness.database.sql`select exposed, name from mcp_names order by name`
    return rows.length === 2 && rows[0]?.exposed === made && rows[0]?.name === long
  })
  await harness.change('one', { namespace: 'renamed' })
  expect(await toolNames(harness.portal)).not.toContain(made)
  expect(await call(made)).toBe(long)
  await harness.stop()
})

test('C8: without a prefix the older server keeps a name that two want, and switching never renames', async () => {
  const harness = await openHarness()
  await harness.add({ name: 'older', ...scripted({ tools: [tool('search')] }).row })
  await harness.add({ name: 'younger', ...scripted({ tools: [tool('search'), tool('own')] }).row })
  await harness.setPortal('bare', { namespace: false })
  const bare = client({ portal: 'bare' })
  const names = await toolNames(harness.portal, bare)
  expect(names).toHaveLength(3)
  expect(names).toContain('own')
  expect(names).toContain('search')
  const called = async (name: string) =>
    await harness.portal.request(callOf('tools/call', { name }, { client: bare }))
  expect('result' in (await called('search'))).toBe(true)
  const other = names.find((name) => name !== 'own' && name !== 'search') ?? ''
  expect(JSON.parse(resultOf(await called(other)).content[0].text).name).toBe('search')
  await harness.change('older', { tools: { search: { enabled: false } } })
  expect(await toolNames(harness.portal, bare)).toEqual([other, 'own'].sort())
  await harness.stop()
})
