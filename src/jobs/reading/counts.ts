import type postgres from 'postgres'
import { type State, states } from '../states.ts'

/** Beyond this nobody needs to know exactly; in ms to count. */
const countedAtMost = 100_000

/** Jobs by state, those that succeeded left out: there may be any number. Each is counted up to 100,000. */
export async function countStates(sql: postgres.Sql): Promise<{ state: State; count: number }[]> {
  const counted = states.filter((state) => state !== 'succeeded')
  return await sql<{ state: State; count: number }[]>`
    select s.state, c.count from unnest(${counted}::text[]) as s (state), lateral (
      select count(*)::int as count from (
        select from jobs j where j.state = s.state and j.state <> 'succeeded' limit ${countedAtMost}) one) c`
}
