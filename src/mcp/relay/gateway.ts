import { headerValue } from '../upstream/http/header-value.ts'
import type { Message } from '../wire/message.ts'
import { stringOf } from '../wire/raw-json.ts'
import type { RelaySettings } from './settings.ts'

/** The gateway's end, over HTTP. */
export type Gateway = {
  post(frame: string, options: PostOptions): Promise<Response>
  /** The stream of a legacy session. */
  listen(headers: Record<string, string>, signal: AbortSignal): Promise<Response>
  /** Ends a legacy session; best effort. */
  leave(headers: Record<string, string>, signal: AbortSignal): Promise<void>
}

export type PostOptions = {
  headers: Record<string, string>
  signal: AbortSignal
  /**
   * It must not be sent twice: so it takes a connection of its own. On one that was kept, and that the gateway has
   * just closed, nobody could tell whether it arrived.
   */
  once?: boolean
}

/** What never came to the gateway, as nobody listened there. */
const unsent =
  /ConnectionRefused|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|FailedToOpenSocket|ConnectionTimeout/

export function openGateway({
  url,
  key,
  clientSession,
}: Pick<RelaySettings, 'url' | 'key' | 'clientSession'>): Gateway {
  const own: Record<string, string> = {
    ...(key === null ? {} : { authorization: `Bearer ${key}` }),
    ...(clientSession === null ? {} : { 'x-claude-code-session-id': headerValue(clientSession) }),
  }
  const types = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' }
  // Silence is looked for where a stream is read: a call may take its time.
  const ask = (init: RequestInit) =>
    fetch(url, { ...init, timeout: false, redirect: 'manual' } as RequestInit)
  return {
    post: (body, { headers, signal, once = false }) =>
      ask({ method: 'POST', body, signal, keepalive: !once, headers: { ...types, ...own, ...headers } }),
    listen: (headers, signal) =>
      ask({ headers: { accept: 'text/event-stream', ...own, ...headers }, signal }),
    async leave(headers, signal) {
      const response = await ask({ method: 'DELETE', headers: { ...own, ...headers }, signal })
      await response.body?.cancel()
    },
  }
}

export function wasSent(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown }
  return !unsent.test(`${String(code)} ${String(message)}`)
}

const named = ['tools/call', 'resources/read', 'prompts/get']

/** What HTTP repeats of a message for those on the way. */
export function headersOf(message: Message): Record<string, string> {
  if (message.kind === 'response') return {}
  const { method, params } = message
  const name = named.includes(method) ? (stringOf(params, 'name') ?? stringOf(params, 'uri')) : null
  return { 'mcp-method': method, ...(name === null ? {} : { 'mcp-name': headerValue(name) }) }
}
