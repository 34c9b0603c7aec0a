import type { ExchangeOpen, McpFacts } from '#capture'
import { now } from '#lib/clock'
import { cleanText } from '#lib/errors'
import { newId } from '#lib/ids'
import { harmlessHeaders, keptHeaders, keptPath, withoutContent } from './hop-headers.ts'
import type { HopOpen } from './recorder.ts'

/** The record's first part: what is known when a hop begins, without what nobody may find there. */
export function exchangeOf(open: HopOpen): ExchangeOpen {
  const startedAt = now()
  const isUpstream = open.hop === 'upstream'
  const headers = open.mode === 'full' ? open.headers : withoutContent(open.headers)
  return {
    v: 1,
    id: open.id ?? newId(Math.floor(startedAt)),
    started_at: startedAt,
    protocol: open.transport,
    method: open.method,
    // The URL of a server may be its credential.
    path: isUpstream ? `/servers/${open.peer ?? ''}` : keptPath(open.path),
    dialect: 'mcp',
    provider: null,
    tenant: open.tenant,
    key_id: open.keyId,
    tags: [...open.tags],
    mode: open.mode,
    request_headers: isUpstream ? harmlessHeaders(headers) : keptHeaders(headers),
    ...(open.parent === null ? {} : { parent: open.parent }),
    mcp: factsOf(open),
  }
}

function factsOf(open: HopOpen): McpFacts {
  const { hop, peer, rpc, name, session, toolUse, clientSession = null, clientAgent = null } = open
  const kept = open.mode === 'full' ? clipped : word
  return {
    hop,
    peer: clipped(peer),
    rpc: kept(rpc),
    name: kept(name),
    session: clipped(session),
    ...(clientSession === null ? {} : { client_session: kept(clientSession) }),
    ...(clientAgent === null ? {} : { client_agent: kept(clientAgent) }),
    tool_use: kept(toolUse),
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
