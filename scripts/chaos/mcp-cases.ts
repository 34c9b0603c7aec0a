import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { addServer } from '../bench/mcp/mcp.ts'
import { random } from '../bench/payloads.ts'
import { allStored } from '../bench/record.ts'
import type { ChaosCase, ChaosOptions } from './cases.ts'
import { type McpClients, startMcpClients } from './mcp-clients.ts'
import { startMcpJournal } from './mcp-journal.ts'
import { readCalls, reconcileCalls } from './mcp-reconcile.ts'
import type { Reconciled } from './reconcile.ts'
import { livePids, openWorld, signal, type World } from './world.ts'

type Harm = (world: World, clients: McpClients) => number[]

const serverFile = join(import.meta.dir, 'mcp-server.ts')

export const mcpCases: Record<string, ChaosCase> = {
  'mcp-gateway': {
    what: 'MCP: kill -9 of the gateway at random instants, clients over HTTP and over relays',
    run: (name, options) => underCalls(name, options, (world) => livePids(world.sluice(), 'gateway.ts')),
  },
  'mcp-upstream': {
    what: 'MCP: kill -9 of the server behind the portal at random instants',
    run: (name, options) => underCalls(name, options, () => serverPids()),
  },
  'mcp-relay': {
    what: 'MCP: kill -9 of relays at random instants',
    run: (name, options) => underCalls(name, options, (_, clients) => clients.relayPids()),
  },
}

/** Load, harm, rest, and then the count: what clients saw, what the server was called with, what is on record. */
async function underCalls(name: string, { seconds, seed }: ChaosOptions, harm: Harm): Promise<Reconciled> {
  const world = await openWorld()
  const journal = startMcpJournal()
  try {
    const { url, adminKey } = world.sluice()
    const server = { transport: 'stdio', command: process.execPath, args: [serverFile, journal.url] }
    await addServer(world.sluice(), { name: 'chaos', ...server })
    const clients = startMcpClients({ url, key: adminKey, tool: 'chaos__echo', http: 6, relays: 4 })
    const next = random(seed)
    let kills = 0
    for (const end = Date.now() + seconds * 1_000; Date.now() < end; ) {
      await Bun.sleep(500 + next() * 2_500)
      for (const pid of harm(world, clients)) {
        signal(pid, 'SIGKILL')
        kills += 1
      }
    }
    await rested(clients)
    await clients.stop()
    await allStored(world.sluice())
    const counted = reconcileCalls(clients.seen, journal.called, await readCalls(url, adminKey))
    const left = await stopped(world)
    return {
      ...{
        case: name,
        sent: clients.sent(),
        refused: clients.failed(),
        ...counted,
        ledgerAddsUp: left === 0,
      },
      note: `${kills} kills, ${clients.failed()} calls answered with an error, ${left} processes left`,
    }
  } finally {
    await world.stop().catch(() => {})
    await journal.stop()
  }
}

/** Everybody's calls succeed again. */
async function rested(clients: McpClients): Promise<void> {
  const enough = clients.seen.length + 50
  for (const deadline = Date.now() + 60_000; clients.seen.length < enough; await Bun.sleep(50))
    if (Date.now() > deadline) throw new Error('calls do not succeed again within 60 s')
}

/** How many servers outlive the product. */
async function stopped(world: World): Promise<number> {
  await world.sluice().stop()
  for (const deadline = Date.now() + 5_000; serverPids().length > 0 && Date.now() < deadline; )
    await Bun.sleep(50)
  return serverPids().length
}

function serverPids(): number[] {
  return [...new Bun.Glob('[0-9]*').scanSync({ cwd: '/proc', onlyFiles: false })]
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(serverFile)
      } catch {
        return false
      }
    })
}
