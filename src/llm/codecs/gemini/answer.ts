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

export function writeAnswer(answer: ModelAnswer, _context: Context): Json {
  return chunk(answer, {
    content: { parts: writeParts(answer.parts), role: 'model' },
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

/** Every seal goes on a part: that of thinking without words on the next one, as Gemini has it. */
export function writeParts(parts: readonly Part[]): Json[] {
  const written: Json[] = []
  let signature: string | null = null
  for (const part of parts) {
    if (part.kind === 'thinking' && part.text === '') {
      signature = part.seal === null ? signature : packBytes(part.seal)
      continue
    }
    const one = writePart(part)
    if (one === null) continue
    written.push(signature === null ? one : { ...one, thoughtSignature: signature })
    signature = null
  }
  if (signature !== null) written.push({ text: '', thoughtSignature: signature })
  return written
}

function writePart(part: Part): Json | null {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return { text: part.text }
    case 'thinking':
      return {
        text: part.text,
        thought: true,
        ...(part.seal?.data ? { thoughtSignature: packBytes(part.seal) } : {}),
      }
    case 'call':
      return { functionCall: { id: part.id, name: part.name, args: inputObject(part.input, null) } }
    default:
      return null
  }
}
