import type { Client, ClientCall, Portal } from '../portal/portal.ts'
import type { Session } from '../session/session.ts'
import type { Sessions } from '../session/sessions.ts'
import { codes, rpcError } from '../wire/codes.ts'
import { metaKeys } from '../wire/envelope.ts'
import type { Answer, Era, Id, RawJson } from '../wire/message.ts'
import { stringOf } from '../wire/raw-json.ts'
import { legacyVersions, modernVersions } from '../wire/versions.ts'

export type Answering = {
  portal: Portal
  sessions: Sessions
  /** Streams a modern client's subscription until the gateway ends it. */
  subscribe(call: ClientCall, id: Id): Promise<Answer>
}

/** Methods that the other era does not have. `initialize` is the edge's own, where there is one. */
const foreign: Record<Era, ReadonlySet<string>> = {
  legacy: new Set(['server/discover', 'subscriptions/listen', 'initialize']),
  modern: new Set([
    ...['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe'],
  ]),
}

/** What an edge answers by itself; all else is the portal's. */
export async function answerCall(
  { portal, sessions, subscribe }: Answering,
  call: ClientCall,
  { session, id }: { session: Session | null; id: Id },
): Promise<Answer> {
  const { method, params, client } = call
  if (foreign[client.era].has(method)) return unknownMethod(method)
  switch (method) {
    case 'ping':
      return { result: '{}' }
    case 'server/discover':
      return { result: discovered(portal, client) }
    case 'subscriptions/listen':
      return await subscribe(call, id)
  }
  const answer = await portal.request(call)
  if (session !== null && 'result' in answer && remember(session, method, params)) sessions.changed(session)
  return answer
}

/** What a session keeps of what it was answered; false: nothing. */
function remember(session: Session, method: string, params: RawJson): boolean {
  const uri = stringOf(params, 'uri')
  if (method === 'logging/setLevel') session.logLevel = stringOf(params, 'level')
  else if (method === 'resources/subscribe' && uri !== null) session.uris.add(uri)
  else if (method === 'resources/unsubscribe' && uri !== null) session.uris.delete(uri)
  else return false
  if (uri !== null) session.listening?.refresh()
  return true
}

export function initialized(portal: Portal, client: Client): RawJson {
  const { capabilities, serverInfo, instructions } = portal.offer(client)
  const told = instructions === null ? '' : `,"instructions":${JSON.stringify(instructions)}`
  return `{"protocolVersion":${JSON.stringify(client.protocolVersion)},"capabilities":${capabilities},"serverInfo":${serverInfo}${told}}`
}

function discovered(portal: Portal, client: Client): RawJson {
  const { capabilities, serverInfo, instructions } = portal.offer(client)
  const versions = JSON.stringify([...modernVersions, ...legacyVersions])
  const told = instructions === null ? '' : `,"instructions":${JSON.stringify(instructions)}`
  const meta = `{${JSON.stringify(metaKeys.server)}:${serverInfo}}`
  return `{"resultType":"complete","supportedVersions":${versions},"capabilities":${capabilities}${told},"ttlMs":0,"cacheScope":"private","_meta":${meta}}`
}

function unknownMethod(method: string): Answer {
  return { error: rpcError(codes.methodNotFound, `Method not found: ${method.slice(0, 200)}`) }
}
