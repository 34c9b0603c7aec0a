import type { Sql, TransactionSql } from 'postgres'
import { SluiceError } from '#lib/errors'

/** Why nothing was done to a job: it is not there, or in a state that does not allow it. */
export async function stateOf(sql: Sql | TransactionSql, id: string, tenant: string | null): Promise<string> {
  const [row] = await sql<{ state: string }[]>`
    select state from jobs where id = ${id} ${tenant === null ? sql`` : sql`and tenant = ${tenant}`}`
  if (row === undefined) throw new SluiceError(404, 'not-found', 'There is no such job')
  return row.state
}
