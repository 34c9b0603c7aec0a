import { nameOf } from '../hops.ts'
import type { OutFrame } from '../link.ts'
import { headerValue } from './header-value.ts'

const named = ['tools/call', 'resources/read', 'prompts/get']

/** What goes with a frame: the revision, and what HTTP repeats of the body for those on the way. */
export function headersOf(frame: OutFrame, session: string | null): Record<string, string> {
  const { method, params, version, headers = [] } = frame
  const name = method !== null && named.includes(method) ? nameOf(method, params) : null
  return {
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    ...(version === null ? {} : { 'mcp-protocol-version': version }),
    ...(session === null ? {} : { 'mcp-session-id': session }),
    ...(method === null ? {} : { 'mcp-method': method }),
    ...(name === null ? {} : { 'mcp-name': headerValue(name) }),
    ...Object.fromEntries(headers),
  }
}
