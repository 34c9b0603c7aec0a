import type { Message, SessionRef } from '#capture'
import { anthropicParts } from './anthropic-content.ts'
import type { RequestReading } from './dialect.ts'
import { type Json, object, objects, parseBody, parseJson, word } from './json.ts'
import { collectHistory, type Part } from './message.ts'

export function readAnthropicRequest(body: Uint8Array, path: string): RequestReading {
  const request = parseBody(body)
  if (request === null) return { model: null, stream: false, history: [], session: null }
  return {
    model: word(request.model),
    stream: request.stream === true,
    // Counting looks at pieces of conversations; it is none.
    history: path.includes('/count_tokens') ? [] : readHistory(request),
    session: readUserId(object(request.metadata)?.user_id),
  }
}

function readHistory(request: Json): Message[] {
  const history = collectHistory()
  history.add('system', anthropicParts(request.system))
  for (const message of objects(request.messages)) {
    const parts = anthropicParts(message.content)
    if (message.role === 'assistant') history.add('assistant', parts)
    else if (message.role === 'system') history.add('system', parts)
    else for (const [role, run] of splitResults(parts)) history.add(role, run)
  }
  return history.messages()
}

/** A user's message carries tool results and text side by side; people read them as two speakers. */
function splitResults(parts: readonly Part[]): ['tool' | 'user', Part[]][] {
  const runs: ['tool' | 'user', Part[]][] = []
  for (const part of parts) {
    const role = part.kind === 'result' ? 'tool' : 'user'
    const last = runs.at(-1)
    if (last?.[0] === role) last[1].push(part)
    else runs.push([role, [part]])
  }
  return runs
}

/**
 * Claude Code names its session in `metadata.user_id`: since 2.1 as JSON with `session_id`, before that as
 * `user_<hash>_account_<uuid>_session_<uuid>`.
 */
function readUserId(userId: unknown): SessionRef | null {
  const text = word(userId)
  if (text === null) return null
  const named = text.startsWith('{') ? word(object(parseJson(text))?.session_id) : null
  const session = named ?? /_session_([\w-]+)$/.exec(text)?.[1] ?? null
  return session === null ? null : { client: 'claude-code', session, agent: null, parent_agent: null }
}
