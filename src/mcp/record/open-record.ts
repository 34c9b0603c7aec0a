import type { Principal } from '#access'
import { type EventsAfter, type EventsSources, eventsAfter } from './events-after.ts'
import { type Oversized, openOverflow } from './overflow.ts'

/** What is read back of the record while agents are at work. */
export type McpRecord = {
  /**
   * What a client missed behind event `n` of one of its exchanges. Null where there is no such exchange of its tenant.
   * @throws SluiceError 503 where the record cannot be read
   */
  eventsAfter(
    principal: Pick<Principal, 'tenant'>,
    exchange: string,
    n: number,
    options?: { waitMs?: number; signal?: AbortSignal },
  ): Promise<EventsAfter | null>
  storeOverflow(oversized: Oversized): Promise<{ uri: string; bytes: number }>
  /** Null where there is none of that tenant. */
  readOverflow(
    principal: Pick<Principal, 'tenant'>,
    uri: string,
  ): Promise<{ text: string; mimeType: string } | null>
}

export function openMcpRecord(sources: EventsSources): McpRecord {
  const overflow = openOverflow(sources)
  return {
    eventsAfter: ({ tenant }, id, after, options) => eventsAfter(sources, { id, after, tenant }, options),
    storeOverflow: async (oversized) => overflow.store(oversized),
    readOverflow: (principal, uri) => overflow.read(principal, uri),
  }
}
