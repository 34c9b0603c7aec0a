import { type Json, object, objects, word } from '../../dialects/json.ts'
import { openaiChat } from '../../dialects/openai-chat.ts'
import { type Asked, type Plan, plan } from './plan.ts'
import { errorReply, frame, jsonReply, streamReply } from './reply.ts'
import type { Sent } from './sent.ts'

/** `POST /v1/chat/completions` */
export function chatCompletions(sent: Sent): Response | Promise<Response> {
  const { json } = sent
  if (word(json.model) === null) return errorReply(openaiChat, 400, 'you must provide a model parameter')
  if (!Array.isArray(json.messages) || json.messages.length === 0) {
    return errorReply(openaiChat, 400, "Missing required parameter: 'messages'.")
  }
  const planned = plan(asked(sent))
  const { directives } = planned
  if (directives.error !== null) return errorReply(openaiChat, directives.error, 'The mock was told to fail.')
  if (json.stream === true) return streamReply(frames(planned, json), directives)
  if (directives.inbandError) return errorReply(openaiChat, 500, 'The server had an error.')
  return jsonReply(completion(planned), directives)
}

/** The name of the tool that OpenAI's `tool_choice` forces: `*` for any. */
export function forcedTool(choice: unknown): string | null {
  if (choice === 'required') return '*'
  const named = object(choice)
  return word(object(named?.function)?.name) ?? word(named?.name)
}

export function openaiUsage({ tokens }: Plan): Json {
  return {
    prompt_tokens: tokens.input,
    completion_tokens: tokens.output,
    total_tokens: tokens.input + tokens.output,
    prompt_tokens_details: { cached_tokens: tokens.cached, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: tokens.reasoning, audio_tokens: 0 },
  }
}

function asked({ json, bytes, seed }: Sent): Asked {
  const tools = objects(json.tools).map((tool) => object(tool.function) ?? {})
  return {
    model: word(json.model) ?? '',
    history: openaiChat.readRequest(bytes, '/v1/chat/completions').history,
    tools: tools.map((tool) => ({ name: word(tool.name) ?? '', schema: tool.parameters })),
    force: forcedTool(json.tool_choice),
    thinking: word(json.reasoning_effort) !== null,
    seed,
  }
}

function completion(planned: Plan): Json {
  const text = planned.pieces.join('')
  const tool_calls = planned.calls.map(toolCall)
  const message = {
    role: 'assistant',
    content: tool_calls.length > 0 ? null : text,
    refusal: null,
    ...(tool_calls.length > 0 && { tool_calls }),
  }
  const choices = [{ index: 0, message, logprobs: null, finish_reason: finishReason(planned) }]
  return { ...envelope(planned, 'chat.completion'), choices, usage: openaiUsage(planned) }
}

function frames(planned: Plan, body: Json): string[] {
  const counts = object(body.stream_options)?.include_usage === true
  const empty = envelope(planned, 'chat.completion.chunk')
  const chunk = (delta: Json, finish_reason: string | null = null) => {
    const choices = [{ index: 0, delta, logprobs: null, finish_reason }]
    return frame({ ...empty, choices, ...(counts && { usage: null }) })
  }
  const first = chunk({ role: 'assistant', content: planned.calls.length > 0 ? null : '', refusal: null })
  const inside = [
    ...planned.pieces.map((content) => chunk({ content })),
    ...planned.calls.flatMap((call, index) =>
      callDeltas(call, index).map((tool) => chunk({ tool_calls: [tool] })),
    ),
  ]
  if (planned.directives.inbandError) {
    const error = openaiChat.errorBody({
      status: 500,
      code: 'server-error',
      message: 'The server had an error.',
    })
    return [first, ...inside.slice(0, inside.length / 2), frame(error)]
  }
  return [
    first,
    ...inside,
    chunk({}, finishReason(planned)),
    ...(counts ? [frame({ ...empty, choices: [], usage: openaiUsage(planned) })] : []),
    'data: [DONE]\n\n',
  ]
}

function callDeltas(call: Plan['calls'][number], index: number): Json[] {
  const whole = toolCall(call)
  const half = Math.ceil(whole.function.arguments.length / 2)
  const pieces = [whole.function.arguments.slice(0, half), whole.function.arguments.slice(half)]
  return [
    { ...whole, index, function: { name: call.name, arguments: '' } },
    ...pieces.map((piece) => ({ index, function: { arguments: piece } })),
  ]
}

function toolCall({ id, name, input }: Plan['calls'][number]) {
  return { id: `call_${id}`, type: 'function', function: { name, arguments: JSON.stringify(input) } }
}

function envelope(planned: Plan, kind: string): Json {
  return {
    id: `chatcmpl-${planned.id}`,
    object: kind,
    created: 1_767_225_600,
    model: planned.model,
    service_tier: 'default',
    system_fingerprint: 'fp_mock',
  }
}

function finishReason({ calls }: Plan): string {
  return calls.length > 0 ? 'tool_calls' : 'stop'
}
