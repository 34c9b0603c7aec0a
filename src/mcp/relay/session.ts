import { notificationFrame, readFrame, requestFrame } from '../wire/frame.ts'
import type { RawJson, RequestMessage } from '../wire/message.ts'
import { memberOf, stringOf } from '../wire/raw-json.ts'
import type { Gateway } from './gateway.ts'

/** The session of a legacy client: begun by it, and begun anew for it when the gateway knows it no more. */
export type RelaySession = {
  /** What goes with each message of it; empty before it began. */
  headers(): Record<string, string>
  began(): boolean
  /** The client's `initialize` was answered. */
  begin(request: RequestMessage, result: RawJson, token: string | null): void
  /** Keeps what the session must be told again. */
  note(method: string, params: RawJson): void
  /**
   * Begins it anew, once for all who ask at the same time; resolves where it had been renewed meanwhile too.
   * @param lost the headers under which it was lost
   * @throws what the gateway answers or fetch throws: it may be tried again
   */
  renew(lost: Record<string, string>, signal: AbortSignal): Promise<void>
}

export type SessionOptions = {
  gateway: Gateway
  /** Told after it was begun anew: what the client knows may be old. */
  onRenewed: () => void
}

export function openSession({ gateway, onRenewed }: SessionOptions): RelaySession {
  let opening: RawJson | null = null
  let token: string | null = null
  let version: string | null = null
  let renewing: Promise<void> | null = null
  let renewals = 0
  const uris = new Set<string>()
  let level: RawJson | null = null

  function headers(): Record<string, string> {
    return {
      ...(version === null ? {} : { 'mcp-protocol-version': version }),
      ...(token === null ? {} : { 'mcp-session-id': token }),
    }
  }

  async function renewOnce(signal: AbortSignal): Promise<void> {
    if (opening === null) throw new Error('the client has not initialized')
    renewals += 1
    const frame = requestFrame(`relay-${renewals}`, 'initialize', opening)
    const response = await gateway.post(frame, { headers: { 'mcp-method': 'initialize' }, signal })
    const answer = readFrame(await response.text())
    if (answer?.kind !== 'response' || 'error' in answer.answer)
      throw new Error(`initializing again: HTTP ${response.status}`)
    token = response.headers.get('mcp-session-id')
    version = stringOf(answer.answer.result, 'protocolVersion') ?? version
    await tell(notificationFrame('notifications/initialized', '{}'), signal)
    if (level !== null) await tell(requestFrame('relay-level', 'logging/setLevel', level), signal)
    for (const uri of uris)
      await tell(requestFrame('relay-uri', 'resources/subscribe', JSON.stringify({ uri })), signal)
    onRenewed()
  }

  async function tell(frame: string, signal: AbortSignal): Promise<void> {
    const response = await gateway.post(frame, { headers: headers(), signal })
    await response.body?.cancel()
  }

  return {
    headers,
    began: () => opening !== null,
    begin(request, result, given) {
      opening = request.params
      token = given
      version = stringOf(result, 'protocolVersion')
      uris.clear()
      level = null
    },
    note(method, params) {
      if (method === 'logging/setLevel') level = params
      const uri = stringOf(params, 'uri')
      if (uri !== null && method === 'resources/subscribe') uris.add(uri)
      if (uri !== null && method === 'resources/unsubscribe') uris.delete(uri)
    },
    async renew(lost, signal) {
      if (lost['mcp-session-id'] !== headers()['mcp-session-id']) return
      renewing ??= renewOnce(signal).finally(() => {
        renewing = null
      })
      await renewing
    },
  }
}

/** Which lists a server said that it tells changes of, from its answer to `initialize`. */
export function toldLists(result: RawJson): string[] {
  const capabilities = memberOf(result, 'capabilities') ?? '{}'
  return ['tools', 'prompts', 'resources'].filter(
    (kind) => memberOf(memberOf(capabilities, kind) ?? '{}', 'listChanged') === 'true',
  )
}
