import { anthropic } from '../../dialects/anthropic.ts'
import { type Json, object, objects, word } from '../../dialects/json.ts'
import { type Asked, inputTokens, type Plan, plan } from './plan.ts'
import { errorReply, frame, jsonReply, streamReply } from './reply.ts'
import type { Sent } from './sent.ts'

/** `POST /v1/messages` */
export function messages(sent: Sent): Response | Promise<Response> {
  const missing = fault(sent.json)
  if (missing !== null) return errorReply(anthropic, 400, missing)
  const planned = plan(asked(sent))
  const { directives } = planned
  if (directives.error !== null) return errorReply(anthropic, directives.error, 'The mock was told to fail.')
  if (sent.json.stream === true) return streamReply(frames(planned, sent.json), directives)
  if (directives.inbandError) return errorReply(anthropic, 529, 'Overloaded')
  return jsonReply(message(planned, sent.json), directives)
}

/** `POST /v1/messages/count_tokens` */
export function countTokens(sent: Sent): Response | Promise<Response> {
  const missing = fault({ max_tokens: 1, ...sent.json })
  if (missing !== null) return errorReply(anthropic, 400, missing)
  return jsonReply({ input_tokens: inputTokens(asked(sent)).input })
}

function fault(body: Json): string | null {
  if (word(body.model) === null) return 'model: Field required'
  if (typeof body.max_tokens !== 'number') return 'max_tokens: Field required'
  if (body.max_tokens < 1) return 'max_tokens: Input should be greater than or equal to 1'
  if (!Array.isArray(body.messages)) return 'messages: Field required'
  if (body.messages.length === 0) return 'messages: at least one message is required'
  const index = body.messages.findIndex((one) => object(one)?.content === undefined)
  return index < 0 ? null : `messages.${index}.content: Field required`
}

function asked({ json, bytes, seed }: Sent): Asked {
  const choice = object(json.tool_choice)
  return {
    model: word(json.model) ?? '',
    history: anthropic.readRequest(bytes, '/v1/messages').history,
    tools: objects(json.tools).map((tool) => ({ name: word(tool.name) ?? '', schema: tool.input_schema })),
    force: choice?.type === 'tool' ? word(choice.name) : choice?.type === 'any' ? '*' : null,
    thinking: object(json.thinking)?.type === 'enabled',
    seed,
  }
}

function message(planned: Plan, body: Json): Json {
  const text = planned.pieces.join('')
  return {
    id: `msg_${planned.id}`,
    type: 'message',
    role: 'assistant',
    model: planned.model,
    content: [
      ...(planned.thinking === null ? [] : [{ type: 'thinking', thinking: planned.thinking, signature }]),
      ...(text === '' ? [] : [{ type: 'text', text, citations: null }]),
      ...planned.calls.map(toolUse),
    ],
    stop_reason: stopReason(planned),
    stop_sequence: null,
    usage: { ...inputUsage(planned, body), output_tokens: planned.tokens.output },
  }
}

function frames(planned: Plan, body: Json): string[] {
  const usage = { ...inputUsage(planned, body), output_tokens: planned.tokens.output }
  const start = {
    ...message(planned, body),
    content: [],
    stop_reason: null,
    usage: { ...usage, output_tokens: 1 },
  }
  const blocks = [
    ...(planned.thinking === null ? [] : [thinkingBlock(planned.thinking)]),
    ...(planned.pieces.length === 0 ? [] : [textBlock(planned.pieces)]),
    ...planned.calls.map(callBlock),
  ]
  const inside = blocks.flatMap(({ block, deltas }, index) => [
    named({ type: 'content_block_start', index, content_block: block }),
    ...deltas.map((delta) => named({ type: 'content_block_delta', index, delta })),
    named({ type: 'content_block_stop', index }),
  ])
  const begin = [named({ type: 'message_start', message: start }), named({ type: 'ping' })]
  if (planned.directives.inbandError) {
    const error = anthropic.errorBody({ status: 529, code: 'overloaded', message: 'Overloaded' })
    return [...begin, ...inside.slice(0, inside.length / 2), frame(error, 'error')]
  }
  const delta = { stop_reason: stopReason(planned), stop_sequence: null }
  return [
    ...begin,
    ...inside,
    named({ type: 'message_delta', delta, usage }),
    named({ type: 'message_stop' }),
  ]
}

type Block = { block: Json; deltas: Json[] }

const signature = 'bW9jaw=='

function thinkingBlock(thinking: string): Block {
  const deltas = [
    { type: 'thinking_delta', thinking },
    { type: 'signature_delta', signature },
  ]
  return { block: { type: 'thinking', thinking: '', signature: '' }, deltas }
}

function textBlock(pieces: readonly string[]): Block {
  return { block: { type: 'text', text: '' }, deltas: pieces.map((text) => ({ type: 'text_delta', text })) }
}

function callBlock(call: Plan['calls'][number]): Block {
  const json = JSON.stringify(call.input)
  const half = Math.ceil(json.length / 2)
  const pieces = ['', json.slice(0, half), json.slice(half)]
  const deltas = pieces.map((partial_json) => ({ type: 'input_json_delta', partial_json }))
  return { block: { ...toolUse(call), input: {} }, deltas }
}

function toolUse({ id, name, input }: Plan['calls'][number]): Json {
  return { type: 'tool_use', id: `toolu_${id}`, name, input }
}

/** The mock caches only where the request asks for it, as the API does. */
function inputUsage({ tokens }: Plan, body: Json): Json {
  const caches = JSON.stringify(body).includes('"cache_control"')
  const [read, written] = caches ? [tokens.cached, tokens.written] : [0, 0]
  return {
    input_tokens: tokens.input - read - written,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: read,
    cache_creation: { ephemeral_5m_input_tokens: written, ephemeral_1h_input_tokens: 0 },
    output_tokens_details: { thinking_tokens: tokens.reasoning },
    service_tier: 'standard',
  }
}

function stopReason({ calls }: Plan): string {
  return calls.length > 0 ? 'tool_use' : 'end_turn'
}

function named(data: Json): string {
  return frame(data, String(data.type))
}
