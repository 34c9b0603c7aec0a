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

test('C10: an oversized result is read piece by piece, right after and from the record later', async () => {
  const recorder = openRecorder(world)
  const client = recorder.begin(hopOf())
  const server = recorder.begin(hopOf({ hop: 'upstream', parent: client.id, peer: 'github' }))
  server.request('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"big"}}')
  server.response(`{"jsonrpc":"2.0","id":1,"result":${result}}`)
  await server.end({ outcome: 'completed', status: 200, error: null })
  await client.end({ outcome: 'completed', status: 200, error: null })
  const { uri, bytes } = await record.storeOverflow({
    ...{ tenant: 'default', exchange: client.id, server: 'github', name: 'big', result },
  })
  expect(bytes).toBe(Buffer.byteLength(result))
  expect(await pieces(record, uri)).toBe(text)
  await until('both are stored', () => world.spool.ledger().stored === 2)
  expect(await pieces(openMcpRecord(world), uri)).toBe(text)
})

test('an oversized result is nobody else’s', async () => {
  const { uri } = await record.storeOverflow({
    ...{ tenant: 'other', exchange: openRecorder(world).begin(hopOf()).id, server: 's', name: 'n', result },
  })
  expect(await record.readOverflow(me, uri)).toBeNull()
  expect(await record.readOverflow(me, 'sluice://overflow/nonsense')).toBeNull()
})
