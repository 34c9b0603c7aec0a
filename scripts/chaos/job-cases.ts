import { random } from '../bench/payloads.ts'
import type { ChaosCase, ChaosOptions } from './cases.ts'
import { endedJobs, startSubmitters, successes } from './jobs.ts'
import type { Reconciled } from './reconcile.ts'
import { livePids, openWorld, signal, type World, type WorldOptions } from './world.ts'

type Harm = (world: World, round: number) => Promise<void>

/** Jobs that call a slow upstream, while something is killed: each that was accepted succeeds, and counts once. */
export const jobCases: Record<string, ChaosCase> = {
  jobs: {
    what: 'jobs on Postgres: kill -9 of workers, gateway and everything in turn',
    run: (name, options) => underJobs(name, options, { setting: {}, harm: killInTurn }),
  },
  'jobs-redis': {
    what: 'jobs on Redis: kill -9 of Redis, Postgres and workers in turn',
    run: (name, options) =>
      underJobs(name, options, { setting: { redis: true, postgres: true }, harm: serversInTurn }),
  },
}

async function underJobs(
  name: string,
  { seconds, seed }: ChaosOptions,
  { setting, harm }: { setting: WorldOptions; harm: Harm },
): Promise<Reconciled> {
  const world = await openWorld({ ...setting, env: { OPENAI_API_KEY: 'chaos' } })
  try {
    const submitters = startSubmitters(world, 6)
    const next = random(seed)
    let kills = 0
    for (const end = Date.now() + seconds * 1_000; Date.now() < end; kills++) {
      await Bun.sleep(500 + next() * 1_500)
      await harm(world, kills)
    }
    await submitters.stop()
    return await counted(world, { name, ...submitters, kills })
  } finally {
    await world.stop()
  }
}

type Run = { name: string; accepted: Map<string, string>; wrong: () => number; kills: number }

async function counted(world: World, { name, accepted, wrong, kills }: Run): Promise<Reconciled> {
  const jobs = await endedJobs(world.sluice())
  const byId = new Map(jobs.map((job) => [job.id, job]))
  const again = jobs.filter(({ attempt }) => attempt > 1)
  let twice = 0
  for (const job of again) {
    if ((await successes(world.sluice(), job.id)) === 1) continue
    twice++
    console.error(`not counted once: ${JSON.stringify(job)}`)
  }
  const ids = [...accepted.values()]
  const lost = [...accepted].filter(([, id]) => byId.get(id)?.state !== 'succeeded')
  for (const [key, id] of lost.slice(0, 5))
    console.error(`missing: ${key} ${id} ${JSON.stringify(byId.get(id) ?? 'no row')}`)
  return {
    ...{ case: name, sent: accepted.size, seen: accepted.size, answered: world.journal.answered.size },
    stored: jobs.filter(({ state }) => state === 'succeeded').length,
    // Attempts of which nothing was counted, as something died under them.
    crashed: jobs.reduce((sum, { attempt }) => sum + attempt - 1, 0),
    refused: wrong(),
    missing: lost.length,
    wrongHash: twice,
    // One key, one job; a job whose key was never answered may be there, too, once.
    duplicates: accepted.size - new Set(ids).size,
    ledgerAddsUp: true,
    note: `${kills} kills, ${again.length} jobs began again`,
  }
}

const killInTurn: Harm = async (world, round) => {
  if (round % 4 === 3) {
    await world.killEverything()
    await world.startAgain()
    return
  }
  const process = round % 2 === 0 ? 'worker.ts' : 'gateway.ts'
  for (const pid of livePids(world.sluice(), process)) signal(pid, 'SIGKILL')
}

const serversInTurn: Harm = async (world, round) => {
  if (round % 3 === 2) {
    for (const pid of livePids(world.sluice(), 'worker.ts')) signal(pid, 'SIGKILL')
    return
  }
  const server = round % 3 === 0 ? world.redis : world.postgres
  await server?.kill()
  await Bun.sleep(1_000)
  await server?.start()
}
