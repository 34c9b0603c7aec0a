import type { SessionRef } from '#capture'
import { object, parseJson, word } from './dialects/json.ts'
import { codexSession } from './dialects/openai-responses-session.ts'

type Headers = readonly (readonly [string, string])[]

/**
 * The client's own name for the thread, from the headers that it sent; the one in the body comes second.
 * - anybody: `sluice-conversation`
 * - Claude Code 2.1: `x-claude-code-session-id`, and in sub-agents `x-claude-code-agent-id`, below them
 *   `x-claude-code-parent-agent-id`
 * - Codex: `session-id` and `thread-id` (before 0.100 `session_id`, `conversation_id`), in sub-agents
 *   `x-codex-parent-thread-id` and `x-openai-subagent`; and all of it in `x-codex-turn-metadata`
 * Gemini CLI names no session on the API that a gateway stands in for: its threads are found by their history.
 */
export function readSession(headers: Headers, fromBody: SessionRef | null): SessionRef | null {
  const sent = new Map(headers)
  const named = word(sent.get('sluice-conversation'))
  if (named !== null) return { client: 'sluice', session: named, agent: null, parent_agent: null }
  return claudeCode(sent) ?? codex(sent) ?? fromBody
}

/** Who called, as in `claude-code`, `codex`, `gemini-cli`: from its `user-agent`. Null where unknown. */
export function readClient(headers: Headers): string | null {
  const agent = headers.find(([name]) => name === 'user-agent')?.[1] ?? ''
  return clients.find(([pattern]) => pattern.test(agent))?.[1] ?? null
}

const clients: [RegExp, string][] = [
  [/^claude-(cli|code)\b/i, 'claude-code'],
  [/^codex/i, 'codex'],
  [/^GeminiCLI/, 'gemini-cli'],
  [/^Anthropic\//, 'anthropic-sdk'],
  [/^(Async)?OpenAI\//, 'openai-sdk'],
  [/^google-genai-sdk\//, 'google-genai-sdk'],
]

function claudeCode(sent: Map<string, string>): SessionRef | null {
  const session = word(sent.get('x-claude-code-session-id'))
  if (session === null) return null
  return {
    client: 'claude-code',
    session,
    agent: word(sent.get('x-claude-code-agent-id')),
    parent_agent: word(sent.get('x-claude-code-parent-agent-id')),
  }
}

function codex(sent: Map<string, string>): SessionRef | null {
  const turn = object(parseJson(sent.get('x-codex-turn-metadata') ?? ''))
  const thread =
    word(sent.get('thread-id')) ??
    word(sent.get('thread_id')) ??
    word(turn?.thread_id) ??
    word(sent.get('conversation_id')) ??
    word(sent.get('conversation-id'))
  const session =
    word(sent.get('session-id')) ?? word(sent.get('session_id')) ?? word(turn?.session_id) ?? thread
  if (session === null) return null
  const parent = word(sent.get('x-codex-parent-thread-id')) ?? word(turn?.parent_thread_id)
  return codexSession({ session, thread, parent, label: word(sent.get('x-openai-subagent')) })
}
