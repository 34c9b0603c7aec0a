import type { SessionRef } from '#capture'
import { type Json, object, word } from './json.ts'

/**
 * Codex repeats in `client_metadata` what its headers say, which is all there is on a WebSocket that carries
 * several threads. Others may keep the thread at OpenAI and name it in `conversation`.
 */
export function readClientMetadata(request: Json): SessionRef | null {
  const metadata = object(request.client_metadata)
  const thread = word(metadata?.thread_id)
  const session = word(metadata?.session_id) ?? thread
  if (session !== null) {
    return codexSession({
      session,
      thread,
      parent: word(metadata?.['x-codex-parent-thread-id']) ?? word(metadata?.parent_thread_id),
      label: word(metadata?.['x-openai-subagent']),
    })
  }
  const kept = word(request.conversation) ?? word(object(request.conversation)?.id)
  return kept === null ? null : { client: 'openai', session: kept, agent: null, parent_agent: null }
}

/**
 * A Codex session is a tree of threads. Its first thread has the session's own id and is no agent; the others
 * are, and name the thread that they came from.
 */
export function codexSession(ids: {
  session: string
  thread: string | null
  parent: string | null
  /** As in `review`, where an older Codex names only the kind of its sub-agent. */
  label: string | null
}): SessionRef {
  const main = ids.thread === null || ids.thread === ids.session
  return {
    client: 'codex',
    session: ids.session,
    agent: main ? ids.label : ids.thread,
    parent_agent: main || ids.parent === ids.session ? null : ids.parent,
  }
}
