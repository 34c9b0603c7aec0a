import type { Sql } from 'postgres'
import { cleanText } from '#lib/errors'
import { packed } from '../body.ts'
import type { Ended } from '../states.ts'

/** How an attempt ended, and what that makes of its job. */
export type End = {
  state: Ended | 'queued' | 'scheduled'
  outcome: 'succeeded' | 'failed' | 'timeout' | 'cancelled' | 'stopped'
  /** Until the next attempt, in ms. */
  delayMs?: number
  result?: { body: Buffer; bytes: number }
  error?: { text: string; name: string; stack: string | null }
  fileBytes?: number
  /** The attempt does not count. */
  spared?: boolean
}

/** What it came to: a job that somebody wants cancelled has no further attempt. */
export type Over = { state: string; outcome: End['outcome']; awaited: boolean }

/**
 * All that the end of an attempt changes, in one statement.
 * @returns null where it was not this attempt's to write, as the job was given to another worker
 */
export async function writeEnd(
  sql: Sql,
  { id, attempt }: { id: string; attempt: number },
  end: End,
): Promise<Over | null> {
  const { state, outcome, error, result } = end
  const isOver = state !== 'queued' && state !== 'scheduled'
  const stack = error?.stack == null ? null : packed(cleanText(error.stack)).body
  const ending = isOver ? sql`true` : sql`cancel_requested_at is not null`
  const [row] = await sql<{ state: string; awaited: boolean }[]>`
    with over as (
      update jobs set state = case when ${isOver} or cancel_requested_at is null then ${state} else 'cancelled' end,
        version = version + 1, worker = null, heartbeat_at = null,
        ended_at = case when ${ending} then now() end,
        run_at = case when ${ending} then run_at
          else now() + ${end.delayMs ?? 0}::float8 * interval '1 millisecond' end,
        spared = spared + ${end.spared === true ? 1 : 0},
        progress = case when ${state === 'succeeded'} then 1 else progress end,
        error = ${error?.text ?? null}, error_class = ${error?.name ?? null},
        result_bytes = ${result?.bytes ?? null}, file_bytes = ${end.fileBytes ?? null}
      where id = ${id} and attempt = ${attempt} and state = 'running'
      returning id, state, version, run_at
    ), closed as (
      update job_attempts a set ended_at = now(), outcome = ${outcome}, error = ${error?.text ?? null}
      from over where a.job_id = over.id and a.attempt = ${attempt}
    ), told as (
      insert into job_events (job_id, n, kind, data) select id, version, 'state', json_strip_nulls(json_build_object('state', state, 'attempt', ${attempt}::int,
        'outcome', ${outcome}::text, 'error', ${error?.text ?? null}::text,
        'run_at', case when state = 'scheduled' then run_at end)) from over
    ), kept as (
      insert into job_bodies (job_id, part, body)
      select id, part, body from over, (values ('result', ${result?.body ?? null}::bytea), ('stack', ${stack}::bytea))
        as bodies (part, body)
      where body is not null on conflict (job_id, part) do update set body = excluded.body
    ), found as (
      insert into job_words (job_id, words) select id, to_tsvector('simple', ${error?.text ?? ''}) from over
      where ${error !== undefined && isOver}
      on conflict (job_id) do update set words = job_words.words || excluded.words
    )
    select state, exists (select from job_dependencies d where d.needs = over.id) as awaited from over`
  return row === undefined ? null : { ...row, outcome }
}
