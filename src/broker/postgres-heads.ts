import type { EngineJob, EngineState } from './inspect.ts'

type Query = (text: string, parameters: unknown[]) => Promise<{ rows: unknown[] }>

const columns = `id, name, added_at_ms::float8 as added_at,
  case when state = 'delayed' then process_at_ms::float8 end as due_at,
  processed_at_ms::float8 as started_at, finished_at_ms::float8 as ended_at,
  attempts_made as attempts, max_attempts as attempts_most, failed_reason as error,
  pg_column_size(data) as data_bytes`

const order: Record<EngineState, string> = {
  waiting: 'priority, seq',
  active: 'seq',
  delayed: 'process_at_ms, seq',
  completed: 'finished_at_ms desc',
  failed: 'finished_at_ms desc',
}

/** Jobs without what they carry: BullMQ's own lists load all of it, and list the waiting ones backwards. */
export async function postgresList(
  query: Query,
  queue: string,
  { state, start, count }: { state: EngineState; start: number; count: number },
): Promise<EngineJob[]> {
  const { rows } = await query(
    `select ${columns} from job where queue = $1 and state = '${state}' order by ${order[state]} offset $2 limit $3`,
    [queue, start, count],
  )
  return rows as EngineJob[]
}

export async function postgresHead(query: Query, queue: string, id: string): Promise<EngineJob | null> {
  const { rows } = await query(`select ${columns} from job where queue = $1 and id = $2`, [queue, id])
  return (rows as EngineJob[])[0] ?? null
}
