import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { type McpRecord, openMcpRecord } from '../../../src/mcp/record/open-record.ts'
import { openRecorder } from '../../../src/mcp/record/open-recorder.ts'
import { until } from '../../support/until.ts'
import { hopOf } from './support.ts'
import { openWorld, type World } from './world.ts'

setDefaultTimeout(60_000)

const me = { tenant: 'default' }
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
  const recorder = openRecorder(world)
  const client = recorder.begin(hopOf())
  const others = { content: [{ type: 'text', text: text.toUpperCase() }] }
  const links: { uri: string; whole: string }[] = []
  for (const [whole, given] of [
    [text, JSON.parse(result)],
    [text.toUpperCase(), others],
    [text, { messages: [{ role: 'user', content: { type: 'text', text } }] }],
  ]) {
    const server = recorder.begin(hopOf({ hop: 'upstream', parent: client.id, peer: 'github' }))
    server.request('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"big"}}')
    server.response(JSON.stringify({ jsonrpc: '2.0', id: 1, result: given }))
    await server.end({ outcome: 'completed', status: 200, error: null })
    const { uri, bytes } = await record.storeOverflow({
      ...{ tenant: 'default', exchange: server.id, server: 'github', name: 'big' },
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

test('an oversized result is nobody else’s', async () => {
  const { uri } = await record.storeOverflow({
    ...{ tenant: 'other', exchange: openRecorder(world).begin(hopOf()).id, server: 's', name: 'n', result },
  })
  expect(await record.readOverflow(me, uri)).toBeNull()
  expect(await record.readOverflow(me, 'sluice://overflow/nonsense')).toBeNull()
})
