import type { Sql } from 'postgres'
import { foldDurations } from './durations.ts'

/** What was measured of one kind of jobs of a queue since it was last taken. */
export type Tally = {
  queue: string
  name: string
  done: number
  failed: number
  retried: number
  wait: Durations
  run: Durations
}

/** Counts between `durationBounds`, the last one beyond them; `sum` in s. */
export type Durations = { counts: number[]; sum: number }

type Row = Omit<Tally, 'wait' | 'run'> & { wait: number[]; wait_ms: number; run: number[]; run_ms: number }

/** Takes them away: what was measured is counted by one gateway, whichever asks first. */
export async function takeTallies(sql: Sql): Promise<Tally[]> {
  const rows = await sql<Row[]>`
    delete from queue_tallies returning queue, name, done, failed, retried, wait_ms, run_ms,
      wait::float8[] as wait, run::float8[] as run`
  return rows.map(({ wait, wait_ms, run, run_ms, ...tally }) => ({
    ...tally,
    wait: { counts: foldDurations(wait), sum: wait_ms / 1_000 },
    run: { counts: foldDurations(run), sum: run_ms / 1_000 },
  }))
}
