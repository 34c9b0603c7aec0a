import type { Sql } from 'postgres'
import type { Access } from '#access'
import type { Broker } from '#broker'
import type { Spool } from '#capture'
import { checkSchema } from '#store'
import type { Probe } from './readiness.ts'

/** What a gateway needs. Its database and queue may be away: it goes on proxying, and the spool grows. */
export function gatewayProbes(deps: { sql: Sql; broker: Broker; spool: Spool; access: Access }): Probe[] {
  const { sql, broker, spool, access } = deps
  return [
    {
      name: 'database',
      neededFor: 'record',
      check: async () => {
        await sql`select 1`
        return null
      },
    },
    { name: 'schema', neededFor: 'record', check: async () => (await checkSchema(sql)) ?? null },
    { name: 'queue', neededFor: 'record', check: async () => (await broker.ping()) ?? null },
    { name: 'spool', neededFor: 'proxying', check: () => spoolRoom(spool) },
    {
      name: 'access',
      neededFor: 'proxying',
      check: () => (access.state().source === 'none' ? 'no keys could be loaded yet' : null),
    },
  ]
}

/** Nine tenths: time to be taken out of the balancer before requests are turned away. */
function spoolRoom(spool: Spool): string | null {
  const { bytes, max_bytes } = spool.ledger()
  const part = bytes / max_bytes
  return part < 0.9 ? null : `${Math.floor(part * 100)} % of ${max_bytes} bytes are used`
}
