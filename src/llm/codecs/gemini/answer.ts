import { geminiTokens } from '../../dialects/gemini-response.ts'
import { type Json, object, objects, word } from '../../dialects/json.ts'
import type { Context } from '../codec.ts'
import type { ModelAnswer, Part } from '../model.ts'
import { inputObject, text } from '../reading.ts'
import { packBytes } from '../seal.ts'
import { readStop, stopWith, writeStop } from '../stops.ts'
import { geminiUsage } from '../usages.ts'
import { answerIds, readAnswerParts } from './answer-parts.ts'

export function readAnswer(body: Json, context: Context): ModelAnswer {
  const candidate = objects(body.candidates)[0]
  const blocked = word(object(body.promptFeedback)?.blockReason)
  const parts = readAnswerParts(object(candidate?.content)?.parts, answerIds(text(body.responseId)), context)
  if (object(candidate?.groundingMetadata) !== null) context.lose('citations')
  const stop =
    candidate === undefined && blocked !== null ? 'refusal' : readStop(word(candidate?.finishReason))
  return {
    id: text(body.responseId),
    model: text(body.modelVersion),
    parts,
    stop: stopWith(stop, new Set(parts.map(({ kind }) => kind))),
    sequence: null,
    usage: geminiTokens(object(body.usageMetadata)),
  }
}

export function writeAnswer(answer: ModelAnswer, context: Context): Json {
  return chunk(answer, {
    content: { parts: writeParts(answer.parts, context), role: 'model' },
    finishReason: writeStop(answer.stop, 'gemini'),
    index: 0,
  })
}

export function chunk(answer: Pick<ModelAnswer, 'id' | 'model' | 'usage'>, candidate: Json): Json {
  return {
    candidates: [candidate],
    ...(answer.usage === null ? {} : { usageMetadata: geminiUsage(answer.usage) }),
    modelVersion: answer.model,
    responseId: answer.id,
  }
}

export function writeParts(parts: readonly Part[], context: Context): Json[] {
  return parts.map((part) => writePart(part, context)).filter((part) => part !== null)
}

function writePart(part: Part, context: Context): Json | null {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return { text: part.text }
    case 'thinking': {
      // Who thought must be known when the client sends it back, even where nobody signed it.
      const seal = part.seal ?? { by: context.to, data: '', redacted: false }
      return { text: part.text, thought: true, thoughtSignature: packBytes(seal) }
    }
    case 'call':
      return { functionCall: { id: part.id, name: part.name, args: inputObject(part.input, context) } }
    default:
      return null
  }
}
