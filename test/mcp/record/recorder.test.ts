import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openSpool, SpoolFullError } from '#capture'
import { type ObservedHop, openRecorder } from '../../../src/mcp/record/open-recorder.ts'
import type { HopOpen } from '../../../src/mcp/record/recorder.ts'
import { quiet } from '../../capture/store-support.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { until } from '../../support/until.ts'
import { hopOf } from './support.ts'
import { openWorld, type World } from './world.ts'

setDefaultTimeout(60_000)

const completed = { outcome: 'completed', status: 200, error: null } as const
const failing =
  '{"jsonrpc":"2.0","id":7,"result":{"isError":true,"content":[{"type":"text","text":"zebrafinch"}]}}'
const asking =
  '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x","arguments":{"q":"zebrafinch"}}}'

let world: World

beforeEach(async () => {
  world = await openWorld({ shipping: false })
}, 60_000)

afterEach(async () => {
  await world.release()
})

async function recorded(changes: Partial<HopOpen>, headers: [string, string][] = []) {
  const hop = openRecorder(world).begin(hopOf(changes))
  hop.request(asking)
  hop.response(failing)
  await hop.end({ ...completed, headers })
  return await world.spool.find(hop.id)
}

const secret = 'Zm9yYmlkZGVuLXNlY3JldC1vZi0zMi1ieXRlcw'

test('credentials, sessions and capability URLs are not kept, wherever they stand', async () => {
  const found = await recorded(
    {
      path: `/mcp/s/${secret}?key=${secret}&cursor=5&my_token=${secret}`,
      headers: [
        ['Authorization', `Bearer ${secret}`],
        ['Mcp-Session-Id', secret],
        ['X-Figma-Token', secret],
        ['Cookie', secret],
        ['Referer', `https://sluice.example/mcp/s/${secret}`],
        ['X-Original-Uri', `/mcp/s/${secret}/more`],
        ['Mcp-Protocol-Version', '2025-11-25'],
      ],
    },
    [['mcp-session-id', secret]],
  )
  expect(found?.open.path).toBe('/mcp/s/…?cursor=5&my_token=…')
  expect(found?.open.request_headers).toEqual([
    ['referer', 'https://sluice.example/mcp/s/…'],
    ['x-original-uri', '/mcp/s/…/more'],
    ['mcp-protocol-version', '2025-11-25'],
  ])
  expect(found?.end?.response_headers).toEqual([])
  expect(onDisk(world.folder)).not.toContain(secret)
})

test('of a server neither its address nor its own headers are kept', async () => {
  const found = await recorded({
    ...{ hop: 'upstream', peer: 'figma', path: `/v1/${secret}/sse` },
    headers: [
      ['x-whatever', secret],
      ['accept', 'application/json'],
    ],
  })
  expect(found?.open.path).toBe('/servers/figma')
  expect(found?.open.request_headers).toEqual([['accept', 'application/json']])
  expect(onDisk(world.folder)).not.toContain(secret)
})

test('metadata mode keeps sizes, hashes, times and names, and whether it failed, but nothing that was said', async () => {
  const found = await recorded({
    ...{ mode: 'metadata', name: 'search', toolUse: 'toolu_1', clientSession: 'a zebrafinch sings' },
    headers: [
      ['Mcp-Name', 'zebrafinch'],
      ['Mcp-Param-Bird', 'zebrafinch'],
    ],
  })
  expect(found?.open.mcp).toMatchObject({
    name: 'search',
    rpc: 'tools/call',
    tool_use: 'toolu_1',
    client_session: null,
  })
  expect(found?.end).toMatchObject({
    ...{ outcome: 'upstream_error', error: 'tool-error', request_bytes: asking.length },
    response_sha256: new Bun.CryptoHasher('sha256').update(failing).digest('hex'),
  })
  expect(found?.response).toHaveLength(0)
  const uri = await recorded({ mode: 'metadata', rpc: 'resources/read', name: 'file:///zebrafinch' })
  expect(uri?.open.mcp?.name).toBeNull()
  expect(onDisk(world.folder)).not.toContain('zebrafinch')
})

test('what an edge says of an error is kept only where it is a word or two', async () => {
  const hop = openRecorder(world).begin(hopOf())
  await hop.end({ ...completed, outcome: 'upstream_error', error: 'He said: "Zebra!"' })
  await hop.end({ ...completed, error: 'later' })
  expect((await world.spool.find(hop.id))?.end).toMatchObject({ outcome: 'upstream_error', error: 'error' })
})

test('whoever observes is told of each hop once, and never of content', async () => {
  const seen: ObservedHop[] = []
  const recorder = openRecorder({ spool: world.spool, observe: (end) => void seen.push(end) })
  const hop = recorder.begin(hopOf({ peer: 'team' }))
  await hop.end(completed)
  await hop.end(completed)
  expect(seen).toMatchObject([{ hop: 'client', peer: 'team', rpc: 'tools/call', outcome: 'completed' }])
  expect(seen[0]?.endedAt).toBeGreaterThanOrEqual(seen[0]?.startedAt ?? Infinity)
})

test('R4: where the disk is full a call is refused with 503, or passes and is counted, as the operator chose', async () => {
  for (const whenFull of ['block', 'drop'] as const) {
    const spool = await openSpool({
      ...{ dir: join(temporaryFolder(), 'spool'), maxBytes: 256 * 1024, whenFull, log: quiet },
      producer: { enqueue: () => new Promise(() => {}) },
      commits: { committed: async () => new Map(), report: async () => {} },
    })
    const recorder = openRecorder({ spool })
    let refusal: unknown
    for (let round = 0; round < 40 && refusal === undefined; round++) {
      try {
        const hop = recorder.begin(hopOf())
        hop.response('x'.repeat(16 * 1024))
        void Promise.resolve(hop.end(completed)).catch(() => {})
      } catch (error) {
        refusal = error
      }
    }
    const { accepted, stored, spooled, queued, quarantined, dropped } = spool.ledger()
    if (whenFull === 'block') {
      expect(refusal).toBeInstanceOf(SpoolFullError)
      expect(refusal).toMatchObject({ status: 503 })
    } else {
      expect(refusal).toBeUndefined()
      expect(dropped).toBeGreaterThan(0)
    }
    expect(stored + spooled + queued + quarantined + dropped).toBe(accepted)
    await spool.close(0)
  }
})

test('R6: the ledger adds up over hops of every kind, and each is stored as it was', async () => {
  world.ship()
  const recorder = openRecorder(world)
  const sent = new Map<string, string>()
  const transports = ['http', 'sse', 'websocket', 'stdio'] as const
  for (let n = 0; n < 200; n++) {
    const hop = recorder.begin(
      hopOf({ transport: transports[n % 4] ?? 'http', hop: n % 2 ? 'upstream' : 'client' }),
    )
    const response = `{"jsonrpc":"2.0","id":7,"result":{"n":${n},"big":"${'y'.repeat((n % 7) * 3_000)}"}}`
    hop.request(asking)
    if (n % 9 === 0) await Bun.sleep(10) // so that ticks of the spool fall into some hops
    hop.response(response)
    await hop.end(completed)
    sent.set(hop.id, new Bun.CryptoHasher('sha256').update(response).digest('hex'))
  }
  await until('all are stored', () => world.spool.ledger().stored === 200, { ms: 20_000 })
  expect(world.spool.ledger()).toMatchObject({
    accepted: 200,
    spooled: 0,
    queued: 0,
    quarantined: 0,
    dropped: 0,
  })
  const rows = await world.database.sql<{ id: string; hash: string; protocol: string }[]>`
    select x.id, encode(x.response_sha256, 'hex') as hash, x.protocol from exchanges x
      join mcp_exchanges m on m.id = x.id`
  expect(new Map(rows.map(({ id, hash }) => [id, hash]))).toEqual(sent)
  expect([...new Set(rows.map(({ protocol }) => protocol))].sort()).toEqual([
    'http',
    'sse',
    'stdio',
    'websocket',
  ])
}, 60_000)

/** All that the folder's files hold. */
function onDisk(folder: string): string {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n')
}
