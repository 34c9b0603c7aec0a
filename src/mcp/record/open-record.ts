import type { Principal } from '#access'
import { type EventsAfter, eventsAfter } from './events-after.ts'
import type { RecordSources, Waiting } from './find-recorded.ts'
import { type Overflow, openOverflow } from './overflow.ts'
import type { Recorder } from './recorder.ts'

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
    options?: Waiting,
  ): Promise<EventsAfter | null>
  storeOverflow: Overflow['store']
  readOverflow: Overflow['read']
}

export function openMcpRecord(sources: RecordSources & { recorder: Recorder }): McpRecord {
  const overflow = openOverflow(sources)
  return {
    eventsAfter: ({ tenant }, id, after, options) => eventsAfter(sources, { id, after, tenant }, options),
    storeOverflow: overflow.store,
    readOverflow: overflow.read,
  }
}
