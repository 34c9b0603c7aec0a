import type { Interpret, Interpretation, McpFacts, Message, RecordedExchange, SessionRef } from '#capture'
import { cleanText } from '#lib/errors'
import { answerIn, errorOf } from './failed.ts'
import { type Fields, fieldsOf, word } from './fields.ts'
import { framesIn } from './frames.ts'
import { identityOf } from './identity.ts'
import { answerText } from './result-text.ts'

/** What the bytes of an MCP exchange mean: a call of a tool is a turn. Never throws. */
export const interpretMcp: Interpret = (exchange) => {
  const { open, end, request, response } = exchange
  // Several are a batch, of the older revisions: its facts are those of the first.
  const asked = framesIn(request).filter((frame) => typeof frame.method === 'string')
  const frames = asked.length === 0 ? [] : framesIn(response)
  const calls = asked.map((one) => ({
    asked: one,
    answer: one.id === undefined ? undefined : answerIn(frames, one.id),
  }))
  const found = factsIn(asked[0], open.request_headers)
  const facts = { ...found.facts, ...given(open.mcp) }
  const isClient = open.mcp?.hop === 'client'
  return {
    ...nothing,
    streamed: frames.length > asked.length,
    error: firstError(calls),
    session: isClient ? sessionOf(exchange, found.client, facts) : null,
    history:
      isClient && end.outcome !== 'rejected' ? calls.flatMap((call, n) => turnOf(open.id, call, n)) : [],
    mcp: found.facts,
  }
}

type Call = { asked: Fields; answer: Fields | undefined }

function firstError(calls: readonly Call[]): string | null {
  return calls.flatMap(({ answer }) => (answer === undefined ? [] : (errorOf(answer) ?? []))).at(0) ?? null
}

const nothing: Interpretation = {
  ...{ model_asked: null, model_served: null, streamed: false, usage: null, cost: null },
  ...{ error: null, session: null, history: [], reply: null },
}

function factsIn(asked: Fields | undefined, headers: RecordedExchange['open']['request_headers']) {
  const params = fieldsOf(asked?.params)
  const meta = params._meta === undefined ? null : JSON.stringify(params._meta)
  const { toolUse, client, session, agent } = identityOf(meta, headers)
  const facts: Partial<McpFacts> = {
    rpc: word(asked?.method),
    name: word(params.name) ?? word(params.uri) ?? null,
    client_session: session,
    client_agent: agent,
    tool_use: toolUse,
  }
  return { facts, client }
}

/** What the edge told comes before what the bytes say. */
function given(told: McpFacts | undefined): Partial<McpFacts> {
  return Object.fromEntries(Object.entries(told ?? {}).filter(([, value]) => value !== null))
}

/**
 * Calls of one session are a conversation. Where the agent's own session is known it is a child of that; a client
 * that has none at all has one a day for each of its keys.
 */
function sessionOf({ open }: RecordedExchange, client: string | null, facts: Partial<McpFacts>): SessionRef {
  const { client_session, client_agent, session, peer } = facts
  if (client !== null && client_session) {
    const parent = client_agent ?? null
    const agent = parent === null ? 'mcp' : `mcp ${parent}`
    return { client, session: client_session, agent, parent_agent: parent }
  }
  const day = new Date(open.started_at).toISOString().slice(0, 10)
  const own = client_session ?? session ?? `${peer ?? 'all'} ${open.key_id ?? 'nobody'} ${day}`
  return { client: 'mcp', session: own, agent: null, parent_agent: null }
}

const spoken = ['tools/call', 'resources/read', 'prompts/get']

/** Longer texts are cut in what people read and search; the bytes are kept elsewhere. */
const longestText = 1024 * 1024

/** What was called, with what, and what came of it. Each call is a turn of its own, however often it is made. */
function turnOf(exchange: string, { asked, answer }: Call, n: number): Message[] {
  const rpc = word(asked.method)
  if (rpc === null || !spoken.includes(rpc)) return []
  const params = fieldsOf(asked.params)
  const name = rpc === 'resources/read' ? rpc : (word(params.name) ?? rpc)
  const given = rpc === 'resources/read' ? params.uri : (params.arguments ?? {})
  const called = `${name}(${JSON.stringify(given) ?? ''})`
  const text = answer === undefined ? called : `${called}\n${answerText(answer)}`
  const digest = `${exchange.replaceAll('-', '')}${n.toString(16).padStart(4, '0')}`
  return [{ role: 'tool', text: cleanText(text.slice(0, longestText)), digest }]
}
