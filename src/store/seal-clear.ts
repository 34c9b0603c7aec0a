import type { Sql } from 'postgres'

/** Seals the signing secrets in `webhook_secret` that an earlier release stored in clear. */
export async function sealClear(
  sql: Sql,
  { table, prefix }: { table: string; prefix: string },
  seal: (secret: string, id: string) => string,
): Promise<void> {
  const rows = await sql<{ id: string; secret: string }[]>`
    select id, webhook_secret as secret from ${sql(table)} where starts_with(webhook_secret, ${prefix})`
  for (const { id, secret } of rows) {
    await sql`
      update ${sql(table)} set webhook_secret = ${seal(secret, id)} where id = ${id} and webhook_secret = ${secret}`
  }
}
