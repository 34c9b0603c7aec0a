import type { Sql } from 'postgres'
import { idFloor } from '#lib/ids'
import { atOnce, inSteps } from '#store'

/** What was told of queues is kept for so long, in ms. */
const keptMs = 90 * 86_400_000

/** @returns how many old events of alerts were removed */
export async function alertsUpkeep(sql: Sql): Promise<number> {
  const before = idFloor(Date.now() - keptMs)
  return await inSteps(async () => {
    const { count } = await sql`
      delete from queue_alert_events where id in (
        select id from queue_alert_events where id < ${before} order by id limit ${atOnce})`
    return count
  })
}
