import type { ExchangeOpen, McpFacts } from '#capture'
import { now } from '#lib/clock'
import { cleanText } from '#lib/errors'
import { newId } from '#lib/ids'
import { keptHeaders, keptPath } from './hop-headers.ts'
import type { HopOpen } from './recorder.ts'

/** The record's first part: what is known when a hop begins, without what nobody may find there. */
export function exchangeOf(open: HopOpen): ExchangeOpen {
  const startedAt = now()
  return {
    v: 1,
    id: open.id ?? newId(Math.floor(startedAt)),
    started_at: startedAt,
    protocol: open.transport,
    method: open.method,
    path: keptPath(open.path),
    dialect: 'mcp',
    provider: null,
    tenant: open.tenant,
    key_id: open.keyId,
    tags: [...open.tags],
    mode: open.mode,
    request_headers: keptHeaders(open.headers),
    ...(open.parent === null ? {} : { parent: open.parent }),
    mcp: factsOf(open),
  }
}

function factsOf({ hop, peer, rpc, name, session, toolUse, mode }: HopOpen): McpFacts {
  return {
    hop,
    peer: clipped(peer),
    rpc: mode === 'full' ? clipped(rpc) : word(rpc),
    name: mode === 'full' ? clipped(name) : word(name),
    session: clipped(session),
    tool_use: mode === 'full' ? clipped(toolUse) : word(toolUse),
  }
}

/** An index entry has at most 2,700 bytes. */
const longestName = 256

function clipped(text: string | null): string | null {
  return text === null || text === '' ? null : cleanText(text.slice(0, longestName))
}

/** What does not look like the name of a tool may be content: a URI, or whatever a model made up. */
export function word(text: string | null): string | null {
  return text !== null && /^[\w./:-]{1,128}$/.test(text) && !text.includes('://') ? text : null
}
