import type { Sql, TransactionSql } from 'postgres'
import type { Audit } from '#access'

type Asked = Parameters<Audit['within']>[1]

/**
 * Does it and writes it down in one transaction: neither is there without the other. What is told to other processes
 * is told afterwards, by whoever calls this.
 */
export async function audited<Result>(
  { sql, audit }: { sql: Sql; audit?: Audit | undefined },
  asked: Asked,
  work: (tx: TransactionSql) => Promise<Result>,
): Promise<Result> {
  const done = await sql.begin(async (tx) => {
    const result = await work(tx)
    await audit?.within(tx, asked)
    return { result }
  })
  return done.result
}
