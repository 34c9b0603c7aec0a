import { now } from '#lib/clock'
import { type Json, object, objects, word } from '../../dialects/json.ts'
import { responsesTokens } from '../../dialects/openai-usage.ts'
import type { Context } from '../codec.ts'
import type { Counts, ModelAnswer, Part, Stop } from '../model.ts'
import { text } from '../reading.ts'
import { packSeal } from '../seal.ts'
import { stopWith } from '../stops.ts'
import { responsesUsage } from '../usages.ts'
import { readReasoning, splitId } from './items-read.ts'

export function readAnswer(body: Json, context: Context): ModelAnswer {
  const parts = objects(body.output).flatMap((item) => readOutput(item, context))
  return {
    id: text(body.id),
    model: text(body.model),
    parts,
    stop: stopWith(readEnd(body), new Set(parts.map(({ kind }) => kind))),
    sequence: null,
    usage: responsesTokens(object(body.usage)),
  }
}

export function readEnd(body: Json): Stop {
  if (body.status !== 'incomplete') return 'end'
  return object(body.incomplete_details)?.reason === 'content_filter' ? 'refusal' : 'length'
}

export function readOutput(item: Json, context: Context): Part[] {
  switch (item.type) {
    case 'message':
      return objects(item.content).flatMap((part): Part[] => {
        if (objects(part.annotations).length > 0) context.lose('citations')
        return part.type === 'refusal'
          ? [{ kind: 'refusal', text: text(part.refusal) }]
          : [{ kind: 'text', text: text(part.text) }]
      })
    case 'reasoning':
      return [readReasoning(item)]
    case 'function_call':
    case 'custom_tool_call': {
      const name = context.names.back(text(item.name))
      const id = word(item.call_id) ?? text(item.id)
      return item.type === 'function_call'
        ? [{ kind: 'call', id, name, input: text(item.arguments) }]
        : [{ kind: 'call', id, name, input: text(item.input), custom: true }]
    }
    default:
      context.lose('server-history', text(item.type))
      return []
  }
}

export function writeAnswer(answer: ModelAnswer, context: Context): Json {
  const output = answer.parts
    .map((part, index) => writePart(part, `${answer.id}_${index}`, context))
    .filter((item) => item !== null)
  const how = ending(answer.stop)
  return { ...envelope(answer, context), ...how, output: cut(output, how), usage: usageOf(answer.usage) }
}

export function usageOf(usage: Counts | null): Json | null {
  return usage === null ? null : responsesUsage(usage)
}

/** The response without its output; it repeats what the client asked for. */
export function envelope({ id, model }: { id: string; model: string }, { asked }: Context): Json {
  return {
    id: id.startsWith('resp_') ? id : `resp_${id}`,
    object: 'response',
    created_at: Math.floor(now() / 1_000),
    background: false,
    error: null,
    incomplete_details: null,
    instructions: asked.instructions ?? null,
    max_output_tokens: asked.max_output_tokens ?? null,
    metadata: asked.metadata ?? {},
    model,
    parallel_tool_calls: asked.parallel_tool_calls ?? true,
    previous_response_id: null,
    reasoning: asked.reasoning ?? { effort: null, summary: null },
    // Nothing is kept: the next request must bring the history.
    store: false,
    temperature: asked.temperature ?? null,
    text: asked.text ?? { format: { type: 'text' } },
    tool_choice: asked.tool_choice ?? 'auto',
    tools: asked.tools ?? [],
    top_p: asked.top_p ?? null,
    truncation: 'disabled',
  }
}

export function ending(stop: Stop): Json {
  if (stop === 'length' || stop === 'context') {
    return { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }
  }
  return { status: 'completed', completed_at: Math.floor(now() / 1_000) }
}

/** What was being said when the limit was met is not whole: arguments of a call must not be taken for it. */
export function cut(output: readonly Json[], { status }: Json): Json[] {
  return output.map((item, index) =>
    status === 'incomplete' && index === output.length - 1 && item.type !== 'reasoning'
      ? { ...item, status }
      : item,
  )
}

export function writePart(part: Part, id: string, { to }: Context): Json | null {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return message(`msg_${id}`, 'completed', [
        part.kind === 'text' ? outputText(part.text) : { type: 'refusal', refusal: part.text },
      ])
    case 'thinking': {
      const seal = part.seal ?? { by: to, data: '', redacted: false }
      const own = seal.by === 'openai-responses' ? splitId(seal.data) : null
      return {
        id: own?.id || `rs_${id}`,
        type: 'reasoning',
        summary: part.text === '' ? [] : [{ type: 'summary_text', text: part.text }],
        encrypted_content: own?.encrypted ?? packSeal(seal, 'openai-responses'),
      }
    }
    case 'call': {
      const base = { call_id: part.id, name: part.name, status: 'completed' }
      return part.custom
        ? { id: `ctc_${id}`, type: 'custom_tool_call', ...base, input: part.input }
        : { id: `fc_${id}`, type: 'function_call', ...base, arguments: part.input || '{}' }
    }
    default:
      return null
  }
}

export function message(id: string, status: string, content: Json[]): Json {
  return { id, type: 'message', status, role: 'assistant', content }
}

export function outputText(text: string): Json {
  return { type: 'output_text', text, annotations: [], logprobs: [] }
}
