import { bounded } from './bounded.ts'
import type { Derived } from './derive.ts'
import { historyKeys, type KeyedTurn, parentId, sessionId, sessionKeys } from './keys.ts'
import { dayOf } from './partitions.ts'

/** An exchange on its way into the tables. */
export type Item = Derived & {
  id: string
  tenant: string
  /** Of its partition: days since the epoch. */
  day: number
  thread: Thread
  /** The conversation that it is already in: a rebuild leaves it there where that is as good as another. */
  former: string | null
  /**
   * Requests of one family look alike: same client, same route, same model, hence the same instructions and tools.
   * A conversation has more than one where its client also asks small things of a small model.
   */
  family: string
  /** Compressed by its client: such bytes share nothing with any others. */
  opaque: boolean
  /** The history and, last, the reply where there is one. */
  turns: KeyedTurn[]
}

/** How the conversation of an exchange is found: by the client's name for it, by its history, or not at all. */
export type Thread =
  | { by: 'session'; conversation: string; parent: string | null }
  | { by: 'history' }
  | { by: 'none' }

export function itemOf(read: Derived, former: string | null = null): Item {
  const derived = { ...read, means: bounded(read.means) }
  const { exchange, means } = derived
  const { id, tenant } = exchange.open
  const messages = means.reply === null ? means.history : [...means.history, means.reply]
  const thread = threadOf(derived)
  const turns =
    thread.by === 'session'
      ? sessionKeys(messages)
      : thread.by === 'history'
        ? historyKeys(tenant, messages)
        : []
  const day = dayOf(id)
  return {
    ...derived,
    id,
    tenant,
    day,
    family: familyOf(derived, day),
    opaque: isOpaque(derived),
    former,
    thread,
    turns,
  }
}

function threadOf({ exchange, means }: Derived): Thread {
  const { tenant } = exchange.open
  if (means.session !== null) {
    const conversation = sessionId(tenant, means.session)
    const parent = parentId(tenant, means.session)
    return { by: 'session', conversation, parent: parent === conversation ? null : parent }
  }
  const said = means.history.length > 0 || means.reply !== null
  return said && exchange.end.outcome !== 'rejected' ? { by: 'history' } : { by: 'none' }
}

function familyOf({ exchange: { open }, means }: Derived, day: number): string {
  const agent = header(open.request_headers, 'user-agent') ?? ''
  return `${day} ${open.tenant} ${open.mode} ${open.path} ${means.model_asked} ${agent}`
}

function isOpaque({ exchange: { open } }: Derived): boolean {
  const encoding = header(open.request_headers, 'content-encoding') ?? ''
  return encoding !== '' && encoding !== 'identity'
}

function header(headers: readonly [string, string][], name: string): string | undefined {
  return headers.find((header) => header[0] === name)?.[1]
}
