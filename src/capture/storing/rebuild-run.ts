import type { Sql } from 'postgres'
import { idFloor, newId } from '#lib/ids'
import type { RebuildOptions } from './rebuild.ts'

/** A rebuild and how far it is: first exchange by exchange, then conversation by conversation. */
export type Run = {
  id: string
  phase: 'exchanges' | 'conversations' | 'done'
  /** The last id that is done. */
  position: string
  until: string
  done: number
  failed: number
}

/** Goes on with the unfinished rebuild of the same range and kind, or begins one. */
export async function openRun(sql: Sql, { since, until, prices = false }: RebuildOptions): Promise<Run> {
  const asked = JSON.stringify({ since: since ?? null, until: until ?? null, prices })
  const [left] = await sql<Run[]>`
    select id, phase, position, until, done, failed from rebuilds
    where asked = ${asked} and finished_at is null order by id desc limit 1`
  if (left !== undefined) return left
  const run: Run = {
    id: newId(),
    phase: 'exchanges',
    position: idFloor(since ?? 0),
    until: idFloor(until ?? Date.now()),
    done: 0,
    failed: 0,
  }
  await sql`
    insert into rebuilds (id, asked, until, phase, position)
    values (${run.id}, ${asked}, ${run.until}, ${run.phase}, ${run.position})`
  return run
}

export async function saveRun(sql: Sql, { id, phase, position, done, failed }: Run): Promise<void> {
  await sql`
    update rebuilds set phase = ${phase}, position = ${position}, done = ${done}, failed = ${failed}
    where id = ${id}`
}

export async function finish(sql: Sql, { id }: Run): Promise<void> {
  await sql`update rebuilds set finished_at = now() where id = ${id}`
}
