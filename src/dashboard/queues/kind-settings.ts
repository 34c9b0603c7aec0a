import type { TransactionSql } from 'postgres'

/** What is left out stays as it is. */
export type KindChange = {
  paused?: boolean | undefined
  concurrency?: number | null | undefined
  per_minute?: number | null | undefined
}

/** What operators allow of a kind, `*` being all together; the feeder obeys. */
export async function changeKind(tx: TransactionSql, kind: string, change: KindChange): Promise<void> {
  const { paused, concurrency, per_minute } = change
  await tx`
    insert into job_kind_settings as s (kind, paused, concurrency, per_minute)
    values (${kind}, ${paused ?? false}, ${concurrency ?? null}, ${per_minute ?? null})
    on conflict (kind) do update set updated_at = now(),
      paused = ${paused === undefined ? tx`s.paused` : tx`excluded.paused`},
      concurrency = ${concurrency === undefined ? tx`s.concurrency` : tx`excluded.concurrency`},
      per_minute = ${per_minute === undefined ? tx`s.per_minute` : tx`excluded.per_minute`}`
}
