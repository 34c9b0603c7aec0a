import type { Sql } from 'postgres'

/** `minute` in ms since the epoch. */
export type Minute = {
  queue: string
  name: string
  minute: number
  done: number
  failed: number
  retried: number
  wait: number[]
  run: number[]
  /** Sums of both. */
  wait_ms: number
  run_ms: number
}

export type Presence = {
  id: string
  queue: string
  process: string
  host: string
  pid: number
  concurrency: number
  startedAt: Date
}

/** Also to what gateways are to count. */
export async function addMinute(sql: Sql, row: Minute): Promise<void> {
  const minute = new Date(row.minute).toISOString()
  await sql`
    with tallied as (
      insert into queue_tallies as t (queue, name, done, failed, retried, wait, wait_ms, run, run_ms)
      values (${row.queue}, ${row.name}, ${row.done}, ${row.failed}, ${row.retried},
        ${row.wait}::bigint[], ${row.wait_ms}, ${row.run}::bigint[], ${row.run_ms})
      on conflict (queue, name) do update set
        done = t.done + excluded.done, failed = t.failed + excluded.failed, retried = t.retried + excluded.retried,
        wait_ms = t.wait_ms + excluded.wait_ms, run_ms = t.run_ms + excluded.run_ms,
        wait = (select array_agg(a + b order by n) from unnest(t.wait, excluded.wait) with ordinality as both_ (a, b, n)),
        run = (select array_agg(a + b order by n) from unnest(t.run, excluded.run) with ordinality as both_ (a, b, n))
    )
    insert into queue_minutes as m (queue, name, minute, done, failed, retried, wait, run)
    values (${row.queue}, ${row.name}, ${minute}::timestamptz, ${row.done}, ${row.failed}, ${row.retried},
      ${row.wait}::int[], ${row.run}::int[])
    on conflict (queue, minute, name) do update set
      done = m.done + excluded.done, failed = m.failed + excluded.failed, retried = m.retried + excluded.retried,
      wait = (select array_agg(coalesce(a, 0) + coalesce(b, 0) order by n)
        from unnest(m.wait, excluded.wait) with ordinality as both_ (a, b, n)),
      run = (select array_agg(coalesce(a, 0) + coalesce(b, 0) order by n)
        from unnest(m.run, excluded.run) with ordinality as both_ (a, b, n))`
}

export async function seeWorker(
  sql: Sql,
  worker: Presence & { running: number; begun: number },
): Promise<void> {
  await sql`
    insert into queue_workers (id, queue, process, host, pid, concurrency, running, begun, started_at, seen_at)
    values (${worker.id}, ${worker.queue}, ${worker.process}, ${worker.host}, ${worker.pid}, ${worker.concurrency},
      ${worker.running}, ${worker.begun}, ${worker.startedAt.toISOString()}::timestamptz, now())
    on conflict (id) do update set running = excluded.running, begun = excluded.begun, seen_at = now()`
}

export async function removeWorker(sql: Sql, id: string): Promise<void> {
  await sql`delete from queue_workers where id = ${id}`
}

/** Minutes past a week, and workers that died without a word. */
export async function dropOld(sql: Sql): Promise<void> {
  await sql`delete from queue_minutes where minute < now() - interval '8 days'`
  await sql`delete from queue_workers where seen_at < now() - interval '1 hour'`
}
