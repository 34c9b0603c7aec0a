import { afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { newId } from '../../../src/lib/ids.ts'
import { type McpRecord, openMcpRecord } from '../../../src/mcp/record/open-record.ts'
import { openRecorder } from '../../../src/mcp/record/open-recorder.ts'
import type { Hop } from '../../../src/mcp/record/recorder.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { spawnProcess } from '../../support/process.ts'
import { until } from '../../support/until.ts'
import { hopOf } from './support.ts'
import { openWorld, type World } from './world.ts'

setDefaultTimeout(60_000)

const me = { tenant: 'default' }
const completed = { outcome: 'completed', status: 200, error: null } as const

let world: World
let record: McpRecord

async function open(options: Parameters<typeof openWorld>[0] = {}): Promise<void> {
  world = await openWorld(options)
  record = openMcpRecord(world)
}

afterEach(async () => {
  await world.release()
})

function begin(): Hop {
  const hop = openRecorder({ spool: world.spool }).begin(hopOf())
  hop.request('{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"x"}}')
  hop.response(`id: ${hop.id}_0\ndata: \n\n`)
  for (const n of [1, 2])
    hop.response(event(hop.id, n, '{"jsonrpc":"2.0","method":"notifications/progress"}'))
  return hop
}

function event(id: string, n: number, data: string): string {
  return `id: ${id}_${n}\ndata: ${data}\n\n`
}

const answer = '{"jsonrpc":"2.0","id":9,"result":{}}'

test('events after one are read from the spool while the store has nothing', async () => {
  await open({ shipping: false })
  const hop = begin()
  hop.response(event(hop.id, 3, answer))
  await hop.end(completed)
  expect(await record.eventsAfter(me, hop.id, 1)).toEqual({
    sse: event(hop.id, 2, '{"jsonrpc":"2.0","method":"notifications/progress"}') + event(hop.id, 3, answer),
    ...{ last: 3, final: true, ended: true, requestId: 9, keyId: null, session: 'session-1' },
  })
})

test('and from the store when the spool has forgotten them', async () => {
  await open()
  const hop = begin()
  hop.response(event(hop.id, 3, answer))
  await hop.end(completed)
  await until('it is stored', () => world.spool.ledger().stored === 1)
  await until('the spool forgot it', async () => (await world.spool.find(hop.id)) === null)
  expect(await record.eventsAfter(me, hop.id, 3)).toMatchObject({
    sse: '',
    last: 3,
    final: true,
    ended: true,
  })
})

test('a tenant sees nothing of another, and nobody what is not there', async () => {
  await open()
  const hop = begin()
  await hop.end(completed)
  expect(await record.eventsAfter({ tenant: 'other' }, hop.id, 0)).toBeNull()
  expect(await record.eventsAfter(me, newId(), 0, { waitMs: 150 })).toBeNull()
  expect(await record.eventsAfter(me, newId(Date.now() - 2 * 86_400_000), 0)).toBeNull()
  expect(await record.eventsAfter(me, 'nonsense', 0)).toBeNull()
})

test('what is under way elsewhere is told as far as it is on disk, and that it goes on', async () => {
  await open()
  const hop = begin()
  await until('it is on disk', async () => (await world.spool.find(hop.id)) !== null)
  expect(await record.eventsAfter(me, hop.id, 1, { waitMs: 50 })).toMatchObject({
    sse: event(hop.id, 2, '{"jsonrpc":"2.0","method":"notifications/progress"}'),
    ...{ final: false, ended: false, requestId: 9 },
  })
  await hop.end(completed)
})

test('C3: after kill -9 of the gateway no event is lost, and the answer is known not to have come', async () => {
  const folder = temporaryFolder()
  const id = newId()
  const gateway = spawnProcess(['bun', 'test/mcp/record/dying-gateway.ts', folder, id])
  await gateway.line(/on disk/, 20_000)
  await gateway.kill('SIGKILL')
  await open({ folder })
  const seen = await record.eventsAfter(me, id, 1)
  expect(seen).toMatchObject({
    sse: event(id, 2, '{"jsonrpc":"2.0","method":"notifications/progress"}'),
    ...{ last: 2, final: false, ended: true, requestId: 'call-1' },
  })
  await until('it is stored', () => world.spool.ledger().stored === 1)
  const [row] = await world.database.sql`select outcome from exchanges where id = ${id}`
  expect(row).toEqual({ outcome: 'gateway_crashed' })
  expect(await record.eventsAfter(me, id, 1)).toEqual(seen)
}, 60_000)
