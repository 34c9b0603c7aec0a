import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '#store'
import { addServer, startMcpUpstream } from '../mcp/mcp.ts'
import { allStored } from '../record.ts'
import { type RunningSluice, startSluice } from '../sluice.ts'
import { startUpstream } from '../targets.ts'
import { startListeners } from './listeners.ts'
import { type Minute, minuteOf, seriesOf } from './minute.ts'
import { startTraffic, type Traffic } from './traffic.ts'
import { type Trend, trendOf } from './trend.ts'
import { lookAt, processesOf, readProbe, type Vitals } from './vitals.ts'

export type SoakFigures = {
  minutes: Minute[]
  warmUpMinutes: number
  trends: Trend[]
  traffic: ReturnType<Traffic['counts']>
  /** Per process, the kinds of objects that became more after the warm-up, and by how many. */
  objects: Record<string, [kind: string, more: number][]>
}

const lookEveryMs = 5_000
const looksPerMinute = 60_000 / lookEveryMs

/**
 * The whole product under mixed traffic for a long time, to see whether anything grows that should not. `onMinute` is
 * told of each minute.
 * @throws Error where a process of the product ends, or what was accepted is not stored in the end
 */
export async function measureSoak(
  { minutes, rate }: { minutes: number; rate: number },
  onMinute: (minute: Minute) => void,
): Promise<SoakFigures> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sluice-soak-'))
  const probes = join(dataDir, 'probes')
  mkdirSync(probes)
  const upstream = await startUpstream()
  const mcpUpstream = await startMcpUpstream()
  const sluice = await startSluice(`http://127.0.0.1:${upstream.port}`, {
    ...{ DATA_DIR: dataDir, OPENAI_API_KEY: 'bench', SOAK_PROBE: probes },
    BUN_OPTIONS: `--preload=${join(import.meta.dir, 'probe.ts')}`,
  })
  const store = openStore(databaseUrl(dataDir), { max: 1, name: 'soak' })
  const watched = { sluice, sql: store.sql, probes }
  const seen: Minute[] = []
  const warmUpMinutes = Math.min(15, Math.floor(minutes / 3))
  let warm: ReturnType<typeof countObjects> = {}
  try {
    await addServer(sluice, { name: 'bench', transport: 'http', url: mcpUpstream.url })
    const traffic = startTraffic(sluice, rate)
    const stopListeners = startListeners(sluice)
    try {
      let before = await lookAt(watched)
      for (const began = performance.now(); seen.length < minutes; ) {
        const looks: Vitals[] = []
        while (looks.length < looksPerMinute) {
          const due = began + (seen.length * looksPerMinute + looks.length + 1) * lookEveryMs
          await Bun.sleep(Math.max(0, due - performance.now()))
          looks.push(await lookAt(watched))
        }
        const minute = minuteOf(before, looks)
        before = looks.at(-1) ?? before
        seen.push(minute)
        onMinute(minute)
        if (seen.length === warmUpMinutes) warm = countObjects(sluice, probes)
      }
    } finally {
      await stopListeners()
      await traffic.stop()
    }
    await allStored(sluice)
    return {
      ...{ minutes: seen, warmUpMinutes, traffic: traffic.counts() },
      trends: seriesOf(seen).map((series) => trendOf(series, warmUpMinutes)),
      objects: moreObjects(warm, countObjects(sluice, probes)),
    }
  } finally {
    await store.close()
    await sluice.stop()
    mcpUpstream.stop()
    await upstream.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

function databaseUrl(dataDir: string): string {
  const { password, port } = JSON.parse(readFileSync(join(dataDir, 'postgres.json'), 'utf8'))
  return `postgres://sluice:${password}@127.0.0.1:${port}/postgres`
}

function countObjects(sluice: RunningSluice, probes: string): Record<string, Record<string, number>> {
  const pids = Object.entries(processesOf(sluice))
  return Object.fromEntries(pids.map(([name, pid]) => [name, readProbe(probes, pid).objects]))
}

function moreObjects(
  warm: ReturnType<typeof countObjects>,
  now: ReturnType<typeof countObjects>,
): SoakFigures['objects'] {
  const kindsOf = (name: string, objects: Record<string, number>) =>
    Object.entries(objects)
      .map(([kind, count]): [string, number] => [kind, count - (warm[name]?.[kind] ?? 0)])
      .filter(([, more]) => more > 0)
      .sort((a, b) => b[1] - a[1])
      .slice(0, 8)
  return Object.fromEntries(Object.entries(now).map(([name, objects]) => [name, kindsOf(name, objects)]))
}
