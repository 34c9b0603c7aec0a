import { identityOf } from '../record/identity.ts'
import type { HopOpen } from '../record/recorder.ts'
import type { Message } from '../wire/message.ts'
import { memberOf, stringOf } from '../wire/raw-json.ts'
import type { Visitor } from './identify.ts'

export type Opening = {
  transport: HopOpen['transport']
  method: string
  path: string
  headers: HopOpen['headers']
  visitor: Visitor
  /** Null: no message, or none that could be read. */
  message: Message | null
  session: string | null
  /** Do its arguments hold a secret of the user's? Then they are kept nowhere. */
  isSecret: boolean
}

/** What the record is told of a client's request, before anything else happens with it. */
export function hopOpening(opening: Opening): HopOpen {
  const { transport, method, path, headers, visitor, message, session, isSecret } = opening
  const { tenant, keyId, capture, tags } = visitor.principal
  const request = message === null || message.kind === 'response' ? null : message
  const meta = request === null ? null : memberOf(request.params, '_meta')
  const { toolUse, session: clientSession, agent: clientAgent } = identityOf(meta, headers)
  return {
    ...{ toolUse, clientSession, clientAgent },
    ...{ hop: 'client', parent: null, transport, method, path, headers, tenant, keyId, tags, session },
    mode: isSecret ? 'metadata' : capture,
    peer: visitor.portal,
    rpc: request?.method ?? null,
    name: request === null ? null : (stringOf(request.params, 'name') ?? stringOf(request.params, 'uri')),
  }
}
