import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import type { Scope } from '#access'
import { newId } from '../../../src/lib/ids.ts'
import { type McpRecord, openMcpRecord } from '../../../src/mcp/record/open-record.ts'
import { until } from '../../support/until.ts'
import { hopOf } from './support.ts'
import { openWorld, type World } from './world.ts'

setDefaultTimeout(60_000)

const me = { tenant: 'default', keyId: 'mine', scopes: new Set<Scope>(['call']) }
const other = { ...me, keyId: 'other' }
const text = Array.from({ length: 20_000 }, (_, n) => `line ${n}`).join('\n')
const result = JSON.stringify({ content: [{ type: 'text', text }] })

let world: World
let record: McpRecord

beforeEach(async () => {
  world = await openWorld()
  record = openMcpRecord(world)
}, 60_000)

afterEach(async () => {
  await world.release()
})

async function pieces(from: McpRecord, uri: string): Promise<string> {
  let [whole, next] = ['', uri as string | undefined]
  while (next !== undefined) {
    const piece: string = (await from.readOverflow(me, next))?.text ?? ''
    const [, said, rest] = /^([\s\S]*)\n\[characters \d+ to \d+ of \d+; go on with (\S+)\]$/.exec(piece) ?? []
    whole += said ?? piece
    next = rest
  }
  return whole
}

test('C10: oversized results are read piece by piece, right after and from the record later, each for itself', async () => {
  const { recorder } = world
  const client = recorder.begin(hopOf())
  const others = { content: [{ type: 'text', text: text.toUpperCase() }] }
  const links: { uri: string; whole: string }[] = []
  for (const [whole, given] of [
    [text, JSON.parse(result)],
    [text.toUpperCase(), others],
    [text, { messages: [{ role: 'user', content: { type: 'text', text } }] }],
  ]) {
    const server = recorder.begin(
      hopOf({ hop: 'upstream', parent: client.id, peer: 'github', keyId: 'mine' }),
    )
    server.request('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"big"}}')
    server.response(JSON.stringify({ jsonrpc: '2.0', id: 1, result: given }))
    await server.end({ outcome: 'completed', status: 200, error: null })
    const { uri, bytes } = await record.storeOverflow({
      ...{ tenant: 'default', keyId: 'mine', of: server.id, server: 'github', name: 'big' },
      result: JSON.stringify(given),
    })
    expect(bytes).toBe(Buffer.byteLength(JSON.stringify(given)))
    links.push({ uri, whole })
  }
  await client.end({ outcome: 'completed', status: 200, error: null })
  for (const { uri, whole } of links) expect(await pieces(record, uri)).toBe(whole)
  await until('all are stored', () => world.spool.ledger().stored === 4)
  for (const { uri, whole } of links) expect(await pieces(openMcpRecord(world), uri)).toBe(whole)
})

const own = (mode: 'full' | 'metadata' = 'full') => ({
  ...{ tenant: 'default', keyId: 'mine', server: 'sluice', name: 'dewey_get_conversation', result },
  of: { parent: newId(), mode, toolUse: null, params: '{"name":"dewey_get_conversation"}' },
})

test('what a tool of our own answered outlives its gateway: from its spool at once, from the store for ever', async () => {
  await world.release()
  world = await openWorld({ shipping: false })
  record = openMcpRecord(world)
  const { uri, bytes } = await record.storeOverflow(own())
  expect(bytes).toBe(Buffer.byteLength(result))
  const another = openMcpRecord(world)
  expect(await pieces(another, uri)).toBe(text)
  expect(await another.readOverflow(me, uri)).toMatchObject({ server: 'sluice', name: own().name })
  world.ship()
  await until('it is stored', () => world.spool.ledger().stored === 1)
  const elsewhere = { ...world, spool: { find: async () => null } }
  expect(await pieces(openMcpRecord(elsewhere), uri)).toBe(text)
})

test('another gateway waits until it is stored', async () => {
  await world.release()
  world = await openWorld({ shipping: false })
  const { uri } = await openMcpRecord(world).storeOverflow(own())
  const elsewhere = openMcpRecord({ ...world, spool: { find: async () => null } })
  const read = elsewhere.readOverflow(me, uri)
  world.ship()
  expect((await read)?.text).toStartWith('line 0\n')
})

test('an oversized result is for its key, and for who may read the record of the tenant', async () => {
  const { uri } = await record.storeOverflow(own())
  for (const from of [record, openMcpRecord(world)]) {
    expect(await from.readOverflow({ ...me, tenant: 'other' }, uri)).toBeNull()
    expect(await from.readOverflow(other, uri)).toBeNull()
    expect(await from.readOverflow({ ...other, scopes: new Set<Scope>(['read']) }, uri)).not.toBeNull()
    expect(await from.readOverflow(me, uri)).not.toBeNull()
  }
  expect(await record.readOverflow(me, 'sluice://overflow/nonsense')).toBeNull()
})

test('in metadata mode it is kept in memory only', async () => {
  const { uri } = await record.storeOverflow(own('metadata'))
  expect(await pieces(record, uri)).toBe(text)
  expect(await openMcpRecord(world).readOverflow(me, uri)).toBeNull()
})

test('a result of 40 MB is read from the record as well', async () => {
  const large = 'x'.repeat(40_000_000)
  const given = { ...own(), result: JSON.stringify({ content: [{ type: 'text', text: large }] }) }
  const { uri } = await record.storeOverflow(given)
  const piece = await openMcpRecord(world).readOverflow(me, `${uri}?from=39990000`)
  expect(piece?.text).toBe('x'.repeat(10_000))
})
