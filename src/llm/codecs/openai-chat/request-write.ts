import type { Json } from '../../dialects/json.ts'
import type { Context, Outgoing } from '../codec.ts'
import { effortFor } from '../effort.ts'
import type { Effort, Format, ModelRequest } from '../model.ts'
import { isOpenai, isReasoningGpt, refusesReasoning } from '../model-facts.ts'
import { loseOpenai } from '../openai-fields.ts'
import { isStrict } from '../schema.ts'
import { writeTools } from './tools-write.ts'
import { writeTurns } from './turns-write.ts'

const mostStops = 4

export function writeRequest(request: ModelRequest, context: Context): Outgoing {
  const { model, stream, maxTokens, seed, frequencyPenalty, presencePenalty, user } = request
  const reasons = isReasoningGpt(model)
  const effort = effortAt(request, context)
  const body: Json = {
    model,
    messages: writeTurns(request, context),
    // Usage comes only where it is asked for, and the record wants it.
    ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
    // OpenAI's models that reason know only the long name, and many other servers only the short one.
    ...(maxTokens === null ? {} : { [reasons ? 'max_completion_tokens' : 'max_tokens']: maxTokens }),
    ...sampling(request, reasons, context),
    ...(request.stop.length > 0 ? { stop: stops(request.stop, context) } : {}),
    ...(seed === null ? {} : { seed }),
    ...(frequencyPenalty === null ? {} : { frequency_penalty: frequencyPenalty }),
    ...(presencePenalty === null ? {} : { presence_penalty: presencePenalty }),
    ...(effort === null ? {} : { reasoning_effort: effort }),
    ...(request.format === null ? {} : { response_format: writeFormat(request.format) }),
    ...writeTools(request, context),
    ...(user === null ? {} : { user: shortUser(user) }),
    ...openaiFields(request, context),
  }
  return { path: '/v1/chat/completions', body, headers: {} }
}

/** The effort to ask for; null for a model that cannot be asked. */
export function effortAt({ reasoning, model }: ModelRequest, context: Context): Effort | null {
  const effort = reasoning === null ? null : effortFor(reasoning)
  if (reasoning === null || !refusesReasoning(model)) return effort
  if (effort !== 'none') context.lose('thinking-unknown')
  return null
}

export function sampling(
  { temperature, topP, topK }: ModelRequest,
  reasons: boolean,
  context: Context,
): Json {
  if (topK !== null) context.lose('top-k')
  if (reasons && temperature !== null && temperature !== 1) context.lose('temperature')
  if (reasons && topP !== null && topP !== 1) context.lose('top-p')
  if (reasons) return {}
  return { ...(temperature === null ? {} : { temperature }), ...(topP === null ? {} : { top_p: topP }) }
}

function stops(stop: string[], context: Context): string[] {
  if (stop.length > mostStops) context.lose('stop-many', `${mostStops} of ${stop.length}`)
  return stop.slice(0, mostStops)
}

/** Longer names are refused; Claude Code's are longer. A hash names the same user. */
export function shortUser(user: string): string {
  return user.length <= 64 ? user : Bun.SHA256.hash(user, 'hex')
}

function openaiFields({ openai, model }: ModelRequest, context: Context): Json {
  if (!isOpenai(model)) {
    loseOpenai(openai, context)
    return {}
  }
  const { top_logprobs, ...fields } = openai
  if (top_logprobs) context.lose('logprobs')
  return fields
}

function writeFormat(format: Format): Json {
  if (format.kind === 'json') return { type: 'json_object' }
  const { name, description, schema, strict } = format
  return {
    type: 'json_schema',
    json_schema: {
      name,
      ...(description === null ? {} : { description }),
      schema,
      // The other dialects always hold the model to the schema; this one only where it is strict.
      strict: strict ?? isStrict(schema),
    },
  }
}
