import type { Sql } from 'postgres'
import { cleanText } from '#lib/errors'

/** Progress and log lines of one attempt, written a few times a second. */
export type Notes = {
  progress(part: number, note?: string): void
  log(line: string): void
  /** Writes what waits, and nothing after it. Never rejects: a note is no reason to fail. */
  close(): Promise<void>
}

const everyMs = 250
/** After so many writes they come slower: each is a row, and a job may run for a day. */
const quickWrites = 1_000
const slowMs = 5_000
const mostLines = 1_000
const longestLine = 2_000

type Note = { kind: 'progress' | 'log'; data: string }

export function openNotes(
  sql: Sql,
  { id, attempt }: { id: string; attempt: number },
  onWritten: () => void,
): Notes {
  let waiting: Note[] = []
  let progress: { part: number; note: string | null } | null = null
  let lines = 0
  let writes = 0
  let timer: Timer | null = null
  let writing: Promise<void> = Promise.resolve()
  let closed = false

  return {
    progress(part, note) {
      if (closed) return
      const known = Number.isFinite(part) ? Math.min(1, Math.max(0, part)) : 0
      progress = { part: known, note: note === undefined ? null : cleanText(note).slice(0, 200) }
      soon()
    },
    log(line) {
      if (closed || lines > mostLines) return
      lines += 1
      const text = lines > mostLines ? `… no more than ${mostLines} lines are kept` : cleanText(String(line))
      waiting.push({ kind: 'log', data: JSON.stringify({ line: text.slice(0, longestLine), attempt }) })
      soon()
    },
    async close() {
      closed = true
      if (timer !== null) clearTimeout(timer)
      write()
      await writing
    },
  }

  function soon(): void {
    timer ??= setTimeout(write, writes < quickWrites ? everyMs : slowMs)
  }

  function write(): void {
    timer = null
    writes += 1
    const now = progress
    const notes = waiting
    if (now !== null)
      notes.push({ kind: 'progress', data: JSON.stringify({ progress: now.part, note: now.note }) })
    progress = null
    waiting = []
    if (notes.length > 0) writing = writing.then(() => insert(notes, now)).then(onWritten, () => {})
  }

  async function insert(
    notes: readonly Note[],
    now: { part: number; note: string | null } | null,
  ): Promise<void> {
    await sql`
      with noted as (
        update jobs set version = version + ${notes.length},
          progress = case when ${now !== null} then ${now?.part ?? null}::real else progress end,
          progress_note = case when ${now !== null} then ${now?.note ?? null} else progress_note end
        where id = ${id} and attempt = ${attempt} and state = 'running' returning version
      )
      insert into job_events (job_id, n, kind, data)
      select ${id}::uuid, noted.version - ${notes.length} + note.n, note.kind, note.data::json
      from noted, unnest(${notes.map(({ kind }) => kind)}::text[], ${notes.map(({ data }) => data)}::text[])
        with ordinality as note (kind, data, n)`
  }
}
