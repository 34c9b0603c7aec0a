import type { Hop } from '../record/recorder.ts'
import type { Session } from '../session/session.ts'
import { codes, rpcError } from '../wire/codes.ts'
import { responseFrame } from '../wire/frame.ts'
import type { RequestMessage } from '../wire/message.ts'
import { memberOf, stringOf } from '../wire/raw-json.ts'
import { isLegacy, latestLegacy } from '../wire/versions.ts'
import { initialized } from './answering.ts'
import type { Edge } from './edge.ts'
import type { Visitor } from './identify.ts'
import type { Incoming } from './incoming.ts'
import { legacyClient } from './legacy.ts'
import { Refusal } from './refusal.ts'

/** Begins a session: at any time, after `server/discover` too. */
export async function initialize(
  edge: Edge,
  { visitor }: Incoming,
  { message, hop }: { message: RequestMessage; hop: Hop },
): Promise<Response> {
  const { frame, token } = beginSession(edge, message, visitor)
  hop.response(frame)
  await hop.end({ outcome: 'completed', status: 200, error: null })
  const headers = { 'content-type': 'application/json', 'mcp-session-id': token }
  return new Response(frame, { headers })
}

/** @throws Refusal 400 where the parameters are not those of `initialize` */
export function beginSession(
  { portal, sessions }: Edge,
  { id, params }: RequestMessage,
  visitor: Visitor,
): { frame: string; token: string; session: Session } {
  const requested = stringOf(params, 'protocolVersion')
  if (requested === null)
    throw new Refusal(400, rpcError(codes.invalidParams, 'Invalid params: protocolVersion is missing'))
  const { tenant, keyId } = visitor.principal
  const { token, session } = sessions.open({
    ...{ tenant, keyId, portal: visitor.portal },
    version: isLegacy(requested) ? requested : latestLegacy,
    info: memberOf(params, 'clientInfo') ?? '{}',
    capabilities: memberOf(params, 'capabilities') ?? '{}',
  })
  const result = initialized(portal, legacyClient(visitor, session))
  return { frame: responseFrame(id, { result }), token, session }
}
