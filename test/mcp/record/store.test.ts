import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { rebuild } from '#capture'
import { called, handlerOn, quiet, stored } from '../../capture/store-support.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { interpretBoth, toolCall } from './support.ts'

setDefaultTimeout(60_000)

let database: TestDatabase

beforeEach(async () => {
  database = await testDatabase()
}, 60_000)

afterEach(async () => {
  await database.drop()
})

test('a hop of MCP is stored with the facts that it is found by', async () => {
  const client = toolCall({ meta: { 'claudecode/toolUseId': 'toolu_1' } })
  const upstream = toolCall({
    tool: 'search',
    hop: { hop: 'upstream', parent: client.open.id, transport: 'stdio', peer: 'github', session: null },
  })
  await stored(handlerOn(database.sql, { interpret: interpretBoth }), [client, upstream])
  expect(await facts()).toEqual([
    {
      ...{ id: client.open.id, hop: 'client', peer: null, rpc: 'tools/call', name: 'github__search' },
      ...{ session: 'session-1', client_session: null, tool_use: 'toolu_1', parent: null },
    },
    {
      ...{ id: upstream.open.id, hop: 'upstream', peer: 'github', rpc: 'tools/call', name: 'search' },
      ...{ session: null, client_session: null, tool_use: null, parent: client.open.id },
    },
  ])
})

test('a tool call is one turn of a tool, with its arguments and its result', async () => {
  const handler = handlerOn(database.sql, { interpret: interpretBoth })
  await stored(handler, [
    toolCall(),
    toolCall(),
    toolCall({ error: { code: -32602, message: 'no such tool' } }),
  ])
  await handler.indexed()
  const turns = await database.sql`select number, role, text from turns order by number`
  expect([...turns]).toEqual([
    { number: 1, role: 'tool', text: 'github__search({"q":"bees"})\nthree hives' },
    { number: 2, role: 'tool', text: 'github__search({"q":"bees"})\nthree hives' },
    { number: 3, role: 'tool', text: 'github__search({"q":"bees"})\nerror -32602: no such tool' },
  ])
  const outcomes = await database.sql`select outcome, error from exchanges order by id`
  expect(outcomes[2]).toEqual({ outcome: 'upstream_error', error: 'rpc-32602' })
  const [spent] = await database.sql`select count(*)::int as rows from spend`
  expect(spent).toEqual({ rows: 0 })
})

test('calls of an agent whose session is known are a child of its conversation', async () => {
  const model = called({ messages: ['user: hi'], session: 'claude-1' })
  const call = toolCall({
    hop: { headers: [['x-claude-code-session-id', 'claude-1']] },
  })
  const [first] = [interpretBoth(call).session]
  expect(first).toEqual({ client: 'claude-code', session: 'claude-1', agent: 'mcp', parent_agent: null })
  await stored(handlerOn(database.sql, { interpret: interpretBoth }), [model, call])
  const [row] = await database.sql`select parent_id, agent from conversations where agent = 'mcp'`
  expect(row?.parent_id).not.toBeNull()
})

test('what an answer asked for is found by the ids of its tool uses, each once', async () => {
  const reply = '[use toolu_1 search] [use toolu_2 read] [use toolu_1 search]'
  await stored(handlerOn(database.sql, { interpret: interpretBoth }), [
    called({ messages: ['user: go'], reply }),
  ])
  const uses = await database.sql`select tool_use, name, place from tool_uses order by place`
  expect([...uses]).toEqual([
    { tool_use: 'toolu_1', name: 'search', place: 0 },
    { tool_use: 'toolu_2', name: 'read', place: 1 },
  ])
})

test('R5: a rebuild derives facts and tool uses again, also of days that have no partition for them yet', async () => {
  const handler = handlerOn(database.sql, { interpret: interpretBoth })
  const call = toolCall({ meta: { 'claudecode/toolUseId': 'toolu_1' } })
  const model = called({ messages: ['user: go'], reply: '[use toolu_1 search]' })
  await stored(handler, [call, model])
  const before = await facts()
  const partitions = await database.sql<{ name: string }[]>`
    select relname as name from pg_class where relkind = 'r' and relname ~ '^(mcp_exchanges|tool_uses)_'`
  for (const { name } of partitions) await database.sql.unsafe(`drop table ${name}`)
  const result = await rebuild({ sql: database.sql, interpret: interpretBoth, log: quiet })
  expect(result).toEqual({ done: 2, failed: 0 })
  expect(await facts()).toEqual(before)
  expect([...(await database.sql`select tool_use from tool_uses`)]).toEqual([{ tool_use: 'toolu_1' }])
})

async function facts() {
  return [
    ...(await database.sql`
      select id, hop, peer, rpc, name, session, client_session, tool_use, parent from mcp_exchanges order by id`),
  ]
}
