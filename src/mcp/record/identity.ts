import type { RawJson } from '../wire/message.ts'
import { fieldsOf, parse, word } from './fields.ts'

/** Who made a call, as its client tells it beside the call itself. */
export type CallIdentity = {
  /** The model's id of the tool use that caused it. */
  toolUse: string | null
  /** `claude-code`, `codex`, …: as the reader of model calls names them, so that both meet in one session. */
  client: string | null
  session: string | null
  /** The agent within the session; null: the main one. */
  agent: string | null
}

type Headers = readonly (readonly [string, string])[]

/**
 * What a client tells of itself in the `_meta` of a call, or in its headers:
 * - Claude Code: `claudecode/toolUseId`; its session only to servers that it starts itself, from where our relay
 *   passes it on as the header that model calls have: `x-claude-code-session-id`
 * - Codex: `callId`, `sessionId`, `threadId` (older ones have ids only in `x-codex-turn-metadata`)
 * - OpenCode: `ai.opencode/sessionID`; Antigravity: `antigravity.google/conversation_id`
 * - anybody: the header `sluice-conversation`
 */
export function identityOf(meta: RawJson | null, headers: Headers): CallIdentity {
  const told = meta === null ? {} : fieldsOf(parse(meta))
  const sent = new Map(headers.map(([name, value]) => [name.toLowerCase(), value]))
  const toolUse = first(told, [
    'claudecode/toolUseId',
    'claude/toolUseId',
    'callId',
    'toolUseId',
    'tool_use_id',
  ])
  const named = word(sent.get('sluice-conversation'))
  if (named !== null) return { toolUse, client: 'sluice', session: named, agent: null }
  const claude = word(sent.get('x-claude-code-session-id'))
  if (claude !== null) {
    return {
      toolUse,
      client: 'claude-code',
      session: claude,
      agent: word(sent.get('x-claude-code-agent-id')),
    }
  }
  const codex = codexIdentity(told)
  if (codex !== null) return { toolUse, ...codex }
  for (const [key, client] of sessions) {
    const session = word(told[key])
    if (session !== null) return { toolUse, client, session, agent: null }
  }
  return { toolUse, client: null, session: null, agent: null }
}

const sessions = [
  ['ai.opencode/sessionID', 'opencode'],
  ['antigravity.google/conversation_id', 'antigravity'],
] as const

/** A Codex session is a tree of threads; the first has the session's own id. */
function codexIdentity(told: Record<string, unknown>): Omit<CallIdentity, 'toolUse'> | null {
  const given = told['x-codex-turn-metadata']
  const turn = fieldsOf(typeof given === 'string' ? parse(given) : given)
  const thread = word(told.threadId) ?? word(turn.thread_id)
  const session = word(told.sessionId) ?? word(turn.session_id) ?? thread
  if (session === null) return null
  return { client: 'codex', session, agent: thread === session ? null : thread }
}

function first(told: Record<string, unknown>, keys: readonly string[]): string | null {
  for (const key of keys) {
    const value = word(told[key])
    if (value !== null) return value
  }
  return null
}
