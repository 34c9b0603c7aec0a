import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { random } from '../bench/payloads.ts'
import { allStored } from '../bench/record.ts'
import { type Clients, startClients } from './clients.ts'
import { mcpCases } from './mcp-cases.ts'
import { type Reconciled, readRecord, reconcile } from './reconcile.ts'
import { livePids, openWorld, signal, type World, type WorldOptions } from './world.ts'

export type ChaosOptions = { seconds: number; seed: number }

/** One way to break things. @throws Error where this machine lacks what the case needs */
export type ChaosCase = { what: string; run(name: string, options: ChaosOptions): Promise<Reconciled> }

type Harm = (world: World, options: ChaosOptions, clients: Clients) => Promise<string>

export const cases: Record<string, ChaosCase> = {
  gateway: {
    what: 'kill -9 of the gateway at random instants',
    run: (name, options) => underLoad(name, options, {}, killRepeatedly('gateway.ts')),
  },
  worker: {
    what: 'kill -9 of the workers at random instants',
    run: (name, options) => underLoad(name, options, {}, killRepeatedly('worker.ts')),
  },
  redis: {
    what: 'kill -9 of Redis, three times, 1.5 s away each',
    run: (name, options) => underLoad(name, options, { redis: true }, outages('redis')),
  },
  postgres: {
    what: 'kill -9 of Postgres, three times, 1.5 s away each',
    run: (name, options) => underLoad(name, options, { postgres: true }, outages('postgres')),
  },
  everything: {
    what: 'kill -9 of every process at once, twice',
    run: (name, options) => underLoad(name, options, {}, killEverything),
  },
  sigterm: {
    what: 'SIGTERM to the whole product, twice',
    run: (name, options) => underLoad(name, options, {}, terminate),
  },
  outage: {
    what: 'Redis and Postgres both down: latency must not notice',
    run: (name, options) => underLoad(name, options, { redis: true, postgres: true }, bothDown),
  },
  disk: { what: 'the spool on a tmpfs of 24 MB, queue down until it is full', run: fillTheDisk },
  ...mcpCases,
}

/** The frame of every case: load, harm, rest, then the count. */
async function underLoad(
  name: string,
  options: ChaosOptions,
  setting: WorldOptions,
  harm: Harm,
): Promise<Reconciled> {
  const world = await openWorld(setting)
  try {
    const clients = startClients(world.sluice().url, 12)
    const note = await harm(world, options, clients)
    await clients.stop()
    await allStored(world.sluice())
    const stored = await readRecord(world.sluice().url, world.sluice().adminKey)
    return {
      ...{ case: name, sent: clients.sent(), refused: clients.refused(), note },
      ...reconcile(clients.seen, world.journal, stored),
      // `allStored` has just waited for the sum.
      ledgerAddsUp: true,
    }
  } finally {
    await world.stop()
  }
}

function killRepeatedly(process: string): Harm {
  return async (world, { seconds, seed }) => {
    const next = random(seed)
    let kills = 0
    for (const end = Date.now() + seconds * 1_000; Date.now() < end; ) {
      await Bun.sleep(300 + next() * 2_000)
      for (const pid of livePids(world.sluice(), process)) {
        signal(pid, 'SIGKILL')
        kills++
      }
    }
    await ready(world)
    return `${kills} kills`
  }
}

function outages(server: 'redis' | 'postgres'): Harm {
  return async (world, { seconds, seed }) => {
    const next = random(seed)
    for (let round = 0; round < 3; round++) {
      await Bun.sleep((seconds / 3) * 1_000 * (0.5 + next() * 0.5))
      await world[server]?.kill()
      await Bun.sleep(1_500)
      await world[server]?.start()
    }
    await ready(world)
    return '3 outages'
  }
}

const killEverything: Harm = async (world, { seconds, seed }) => {
  const next = random(seed)
  for (let round = 0; round < 2; round++) {
    await Bun.sleep((seconds / 2) * 1_000 * (0.5 + next() * 0.5))
    await world.killEverything()
    await world.startAgain()
  }
  return '2 times'
}

const terminate: Harm = async (world, { seconds }) => {
  let slowest = 0
  for (let round = 0; round < 2; round++) {
    await Bun.sleep((seconds / 2) * 1_000)
    const began = performance.now()
    await world.sluice().stop()
    slowest = Math.max(slowest, performance.now() - began)
    await world.startAgain()
  }
  return `2 times, stopped in ${(slowest / 1_000).toFixed(1)} s at most`
}

const bothDown: Harm = async (world, { seconds }, clients) => {
  await Bun.sleep(1_000)
  clients.latenciesMs.length = 0
  await Bun.sleep(seconds * 500)
  const before = p99(clients.latenciesMs.splice(0))
  await world.redis?.kill()
  await world.postgres?.kill()
  clients.latenciesMs.length = 0
  await Bun.sleep(seconds * 500)
  const during = p99(clients.latenciesMs.splice(0))
  await world.postgres?.start()
  await world.redis?.start()
  await ready(world)
  return `p99 ${before.toFixed(1)} ms up, ${during.toFixed(1)} ms down: ratio ${(during / before).toFixed(2)}`
}

async function fillTheDisk(name: string, options: ChaosOptions): Promise<Reconciled> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sluice-chaos-full-'))
  const mount = Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', dataDir])
  if (mount.exitCode !== 0) throw new Error(`mount a tmpfs: ${mount.stderr.toString().trim()}`)
  try {
    return await underLoad(name, options, { redis: true, postgres: true, dataDir }, untilRefused)
  } finally {
    Bun.spawnSync(['umount', '-l', dataDir])
    rmdirSync(dataDir)
  }
}

/** Takes the queue away until the gateway refuses, then gives it back. */
const untilRefused: Harm = async (world, _, clients) => {
  await world.redis?.kill()
  for (const deadline = Date.now() + 120_000; clients.refused() < 20; await Bun.sleep(100)) {
    if (Date.now() > deadline) throw new Error('the spool never filled up in 120 s')
  }
  const full = clients.sent()
  await world.redis?.start()
  await ready(world)
  return `refused after ${full} requests, went on by itself`
}

async function ready(world: World): Promise<void> {
  for (const deadline = Date.now() + 60_000; ; await Bun.sleep(50)) {
    const answer = await fetch(`${world.sluice().url}/ready`).catch(() => null)
    if (answer?.ok === true) return
    if (Date.now() > deadline) throw new Error(`not ready after 60 s: ${await answer?.text()}`)
  }
}

function p99(values: number[]): number {
  values.sort((a, b) => a - b)
  return values[Math.floor(values.length * 0.99)] ?? 0
}
