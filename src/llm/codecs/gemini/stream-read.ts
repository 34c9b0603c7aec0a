import { geminiTokens } from '../../dialects/gemini-response.ts'
import { type Json, object, objects, word } from '../../dialects/json.ts'
import type { Context, StreamReader } from '../codec.ts'
import { readError } from '../errors.ts'
import type { Emit } from '../events.ts'
import type { Part, Stop } from '../model.ts'
import { text } from '../reading.ts'
import { sequencer } from '../sequencer.ts'
import { readStop, stopWith } from '../stops.ts'
import { answerIds, readAnswerParts } from './answer-parts.ts'
import type { CallIds } from './content-read.ts'

export function streamReader(emit: Emit, context: Context): StreamReader {
  const blocks = sequencer(emit)
  const kinds = new Set<Part['kind']>()
  let ids: CallIds | null = null
  let count = 0
  let stop: Stop | null = null
  let failed = false

  function start(chunk: Json): CallIds {
    emit({ type: 'start', id: text(chunk.responseId), model: text(chunk.modelVersion) })
    return answerIds(text(chunk.responseId))
  }

  /** Text and thoughts come in pieces; a call comes whole. */
  function read(part: Part): void {
    kinds.add(part.kind)
    if (part.kind === 'call') {
      blocks.closeAll()
      const key = `call ${count}`
      count += 1
      blocks.open(key, { kind: 'call', id: part.id, name: part.name, custom: part.custom === true })
      blocks.delta(key, part.input)
      blocks.close(key)
    } else if (part.kind === 'text' || part.kind === 'thinking') {
      if (!blocks.has(part.kind)) {
        blocks.closeAll()
        blocks.open(part.kind, { kind: part.kind })
      }
      blocks.delta(part.kind, part.text)
      if (part.kind === 'thinking' && part.seal !== null) blocks.seal('thinking', part.seal)
      // What a signature without words signs is the part after it.
      if (part.kind === 'thinking' && part.seal !== null) blocks.closeAll()
    }
  }

  return {
    event(chunk) {
      if (object(chunk.error) !== null) {
        failed = true
        blocks.closeAll()
        emit({ type: 'error', error: readError(chunk, null) })
        return
      }
      ids ??= start(chunk)
      const candidate = objects(chunk.candidates)[0]
      for (const part of readAnswerParts(object(candidate?.content)?.parts, ids, context)) read(part)
      const reason = word(candidate?.finishReason)
      if (reason !== null) stop = readStop(reason)
      else if (word(object(chunk.promptFeedback)?.blockReason) !== null) stop = 'refusal'
      if (object(candidate?.groundingMetadata) !== null) context.lose('citations')
      const usage = geminiTokens(object(chunk.usageMetadata))
      if (usage !== null) emit({ type: 'usage', usage })
    },
    end() {
      blocks.closeAll()
      if (stop !== null) emit({ type: 'stop', stop: stopWith(stop, kinds), sequence: null })
      return stop !== null || failed
    },
  }
}
