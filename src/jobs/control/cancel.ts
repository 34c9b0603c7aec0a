import type { Sql, TransactionSql } from 'postgres'
import { SluiceError } from '#lib/errors'
import { dependantsOf, settleDependants } from '../dependencies.ts'
import type { Announcer } from '../events/announce.ts'
import { cancelMany } from './many.ts'
import { stateOf } from './state-of.ts'

export type CancelOptions = { id: string; tenant: string | null; reason: string | null }

/**
 * Cancels at once what does not run; what does is to be told to its worker, by `tellCancelled`.
 * @returns with the state that it is in now: still `running` until its worker has obeyed
 * @throws SluiceError 404; 409 `job-ended`
 */
export async function cancelJob(
  tx: TransactionSql,
  { id, tenant, reason }: CancelOptions,
): Promise<{ id: string; state: string }> {
  const found = await stateOf(tx, id, tenant)
  const [cancelled] = await cancelMany(tx, [id], reason)
  if (cancelled === undefined) throw new SluiceError(409, 'job-ended', `The job has ${found} already`)
  return cancelled
}

/** Tells workers of what runs, and moves on what waited for the others. */
export async function tellCancelled(
  sql: Sql,
  announcer: Announcer,
  cancelled: readonly { id: string; state: string }[],
): Promise<void> {
  for (const { id, state } of cancelled) {
    announcer.changed(id)
    if (state === 'running') announcer.cancel(id)
  }
  const over = cancelled.filter(({ state }) => state !== 'running').map(({ id }) => id)
  const moved = await dependantsOf(sql, over)
    .then((waiting) => settleDependants(sql, waiting))
    .catch(() => []) // they are cancelled all the same; the feeder makes up for it
  for (const id of moved) announcer.changed(id)
}
