import { now } from '#lib/clock'
import { type Json, object, objects, word } from '../../dialects/json.ts'
import { chatTokens } from '../../dialects/openai-usage.ts'
import type { Context } from '../codec.ts'
import { freeText } from '../free-text.ts'
import type { Call, ModelAnswer, Part } from '../model.ts'
import { text } from '../reading.ts'
import { readStop, stopWith, writeStop } from '../stops.ts'
import { chatUsage } from '../usages.ts'
import { readThinking, readThinkingParts, writeThinking } from './thinking.ts'
import { readCall } from './tools-read.ts'

export function readAnswer(body: Json, context: Context): ModelAnswer {
  const choice = objects(body.choices)[0] ?? {}
  const message = object(choice.message) ?? {}
  const said = contentText(message.content)
  const refusal = word(message.refusal)
  if (objects(message.annotations).length > 0) context.lose('citations')
  const parts: Part[] = [
    ...readThinking(message),
    ...readThinkingParts(message.content),
    ...(said === '' ? [] : [{ kind: 'text' as const, text: said }]),
    ...(refusal === null ? [] : [{ kind: 'refusal' as const, text: refusal }]),
    ...objects(message.tool_calls)
      .flatMap(readCall)
      .map((part) => (part.kind === 'call' ? named(part, context) : part)),
  ]
  return {
    id: text(body.id),
    model: text(body.model),
    parts,
    stop: stopWith(readStop(word(choice.finish_reason)), new Set(parts.map(({ kind }) => kind))),
    // vLLM names the sequence here.
    sequence: word(choice.stop_reason),
    usage: chatTokens(object(body.usage)),
  }
}

function named(call: Call, context: Context): Call {
  const name = context.names.back(call.name)
  if (call.custom || !context.custom.has(name)) return { ...call, name }
  return { ...call, name, input: freeText(call.input), custom: true }
}

/** Mistral's models that think answer with a list, whole and streamed. */
export function contentText(content: unknown): string {
  if (typeof content === 'string') return content
  return objects(content)
    .map((part) => text(part.text))
    .join('')
}

export function writeAnswer(answer: ModelAnswer, _context: Context): Json {
  const { parts } = answer
  const refusals = parts.flatMap((part) => (part.kind === 'refusal' ? [part.text] : []))
  const calls = parts.flatMap((part) => (part.kind === 'call' ? [part] : []))
  const said = parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join('')
  const message = {
    role: 'assistant',
    content: said === '' && (calls.length > 0 || refusals.length > 0) ? null : said,
    refusal: refusals.length === 0 ? null : refusals.join('\n'),
    ...writeThinking(parts.flatMap((part) => (part.kind === 'thinking' ? [part] : []))),
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map(({ id, name, input, custom }) =>
            custom
              ? { id, type: 'custom', custom: { name, input } }
              : { id, type: 'function', function: { name, arguments: input || '{}' } },
          ),
        }),
  }
  return {
    ...envelope(answer, 'chat.completion'),
    choices: [
      { index: 0, message, logprobs: null, finish_reason: finishReason(answer.stop, refusals.length > 0) },
    ],
    ...(answer.usage === null ? {} : { usage: chatUsage(answer.usage) }),
  }
}

/** A refusal in words ends as any answer; one without words is a filter's. */
export function finishReason(stop: ModelAnswer['stop'], inWords: boolean): string {
  return stop === 'refusal' && inWords ? 'stop' : writeStop(stop, 'openai-chat')
}

export function envelope({ id, model }: { id: string; model: string }, object: string): Json {
  return {
    id: id.startsWith('chatcmpl') ? id : `chatcmpl-${id}`,
    object,
    created: Math.floor(now() / 1_000),
    model,
  }
}
