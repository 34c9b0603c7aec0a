import type { TransactionSql } from 'postgres'
import { SluiceError } from '#lib/errors'
import { retryMany } from './many.ts'
import { stateOf } from './state-of.ts'

/**
 * Runs a job again that failed, was cancelled or expired: the same job, with its history, and with as many attempts
 * as it had at first. It no longer waits for others, and does not expire.
 * @throws SluiceError 404; 409 `job-not-ended`, `job-succeeded`
 */
export async function retryJob(
  tx: TransactionSql,
  { id, tenant }: { id: string; tenant: string | null },
): Promise<string> {
  const found = await stateOf(tx, id, tenant)
  const [again] = await retryMany(tx, [id])
  if (again === undefined && found === 'succeeded')
    throw new SluiceError(
      409,
      'job-succeeded',
      'The job has succeeded: submit a new one to have it done again',
    )
  if (again === undefined)
    throw new SluiceError(409, 'job-not-ended', `The job is ${found}: it will run anyway`)
  return 'queued'
}
