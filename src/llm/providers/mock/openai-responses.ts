import { type Json, object, objects, word } from '../../dialects/json.ts'
import { openaiResponses } from '../../dialects/openai-responses.ts'
import { forcedTool } from './openai-chat.ts'
import { type Asked, inputTokens as countInput, type Plan, plan } from './plan.ts'
import { errorReply, frame, jsonReply, streamReply } from './reply.ts'
import type { Sent } from './sent.ts'

/** `POST /v1/responses` */
export function responses(sent: Sent): Response | Promise<Response> {
  const missing = fault(sent.json)
  if (missing !== null) return errorReply(openaiResponses, 400, missing)
  const planned = plan(asked(sent))
  const { directives } = planned
  if (directives.error !== null) {
    return errorReply(openaiResponses, directives.error, 'The mock was told to fail.')
  }
  if (sent.json.stream === true) {
    const frames = events(planned, sent.json).map((event) => frame(event, String(event.type)))
    return streamReply(frames, directives)
  }
  if (directives.inbandError) return errorReply(openaiResponses, 500, 'The server had an error.')
  return jsonReply(response(planned, sent.json, 'completed'), directives)
}

/** `POST /v1/responses/input_tokens` */
export function inputTokens(sent: Sent): Promise<Response> {
  return jsonReply({ object: 'response.input_tokens', input_tokens: countInput(asked(sent)).input })
}

/** What a WebSocket answers to one message of its client: the events of the stream, or an error event. */
export function socketEvents(sent: Sent | null): { events: Json[]; delayMs: number; cut: boolean } {
  const fail = (status: number, message: string) => ({
    events: [
      {
        type: 'error',
        status,
        ...object(openaiResponses.errorBody({ status, code: 'invalid-request', message })),
      },
    ],
    delayMs: 0,
    cut: false,
  })
  if (sent === null) return fail(400, 'The message is not JSON.')
  if (sent.json.type !== 'response.create')
    return fail(400, `Unknown message type: ${String(sent.json.type)}`)
  const missing = fault(sent.json)
  if (missing !== null) return fail(400, missing)
  const planned = plan(asked(sent))
  const { error, delayMs, cut } = planned.directives
  if (error !== null) return fail(error, 'The mock was told to fail.')
  return { events: events(planned, sent.json), delayMs, cut }
}

function fault(body: Json): string | null {
  if (word(body.model) === null) return "Missing required parameter: 'model'."
  if (body.input === undefined && body.prompt === undefined) return "Missing required parameter: 'input'."
  return typeof body.input === 'string' || Array.isArray(body.input) ? null : "Invalid type for 'input'."
}

function asked({ json, bytes, seed }: Sent): Asked {
  const tools = objects(json.tools).filter(({ type }) => type === 'function')
  return {
    model: word(json.model) ?? '',
    history: openaiResponses.readRequest(bytes, '/v1/responses').history,
    tools: tools.map((tool) => ({ name: word(tool.name) ?? '', schema: tool.parameters })),
    force: forcedTool(json.tool_choice),
    thinking: word(object(json.reasoning)?.effort) !== null,
    seed,
  }
}

function response(planned: Plan, body: Json, status: string): Json {
  const { tokens } = planned
  const usage = {
    input_tokens: tokens.input,
    input_tokens_details: { cached_tokens: tokens.cached, cache_write_tokens: 0 },
    output_tokens: tokens.output,
    output_tokens_details: { reasoning_tokens: tokens.reasoning },
    total_tokens: tokens.input + tokens.output,
  }
  const failed = status === 'failed'
  return {
    id: `resp_${planned.id}`,
    object: 'response',
    created_at: 1_767_225_600,
    status,
    error: failed ? { code: 'server_error', message: 'The server had an error.' } : null,
    incomplete_details: null,
    instructions: body.instructions ?? null,
    model: planned.model,
    output: status === 'completed' ? items(planned) : [],
    parallel_tool_calls: true,
    previous_response_id: body.previous_response_id ?? null,
    reasoning: { effort: null, summary: null },
    store: body.store ?? true,
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: body.tool_choice ?? 'auto',
    tools: body.tools ?? [],
    top_p: 1,
    truncation: 'disabled',
    usage: status === 'completed' ? usage : null,
    metadata: body.metadata ?? {},
  }
}

function items(planned: Plan): Json[] {
  const text = planned.pieces.join('')
  const summary = [{ type: 'summary_text', text: planned.thinking }]
  const content = [{ type: 'output_text', text, annotations: [], logprobs: [] }]
  return [
    ...(planned.thinking === null ? [] : [{ id: `rs_${planned.id}`, type: 'reasoning', summary }]),
    ...(text === ''
      ? []
      : [{ id: `msg_${planned.id}`, type: 'message', status: 'completed', role: 'assistant', content }]),
    ...planned.calls.map(({ id, name, input }) => ({
      id: `fc_${id}`,
      type: 'function_call',
      status: 'completed',
      call_id: `call_${id}`,
      name,
      arguments: JSON.stringify(input),
    })),
  ]
}

function events(planned: Plan, body: Json): Json[] {
  const inside = items(planned).flatMap((item, index) => itemEvents(item, index, planned))
  const { inbandError } = planned.directives
  const status = inbandError ? 'failed' : 'completed'
  const all = [
    { type: 'response.created', response: response(planned, body, 'in_progress') },
    { type: 'response.in_progress', response: response(planned, body, 'in_progress') },
    ...(inbandError ? inside.slice(0, inside.length / 2) : inside),
    { type: `response.${status}`, response: response(planned, body, status) },
  ]
  return all.map((event, sequence_number) => ({ ...event, sequence_number }))
}

function itemEvents(item: Json, output_index: number, planned: Plan): Json[] {
  const at = { item_id: item.id, output_index }
  const started = { ...item, status: 'in_progress', ...(item.type === 'message' ? { content: [] } : {}) }
  const added = { type: 'response.output_item.added', output_index, item: started }
  const done = { type: 'response.output_item.done', output_index, item }
  if (item.type === 'message') return [added, ...textEvents(at, planned.pieces), done]
  if (item.type === 'reasoning') return [{ ...added, item: { ...item, summary: [] } }, done]
  const json = String(item.arguments)
  const half = Math.ceil(json.length / 2)
  const type = 'response.function_call_arguments'
  return [
    { ...added, item: { ...started, arguments: '' } },
    { type: `${type}.delta`, ...at, delta: json.slice(0, half) },
    { type: `${type}.delta`, ...at, delta: json.slice(half) },
    { type: `${type}.done`, ...at, name: item.name, arguments: json },
    done,
  ]
}

function textEvents(at: Json, pieces: readonly string[]): Json[] {
  const here = { ...at, content_index: 0 }
  const text = pieces.join('')
  const part = { type: 'output_text', text: '', annotations: [], logprobs: [] }
  return [
    { type: 'response.content_part.added', ...here, part },
    ...pieces.map((delta) => ({ type: 'response.output_text.delta', ...here, delta, logprobs: [] })),
    { type: 'response.output_text.done', ...here, text, logprobs: [] },
    { type: 'response.content_part.done', ...here, part: { ...part, text } },
  ]
}
