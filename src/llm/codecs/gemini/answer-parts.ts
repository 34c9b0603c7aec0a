import { type Json, objects } from '../../dialects/json.ts'
import type { Context } from '../codec.ts'
import { freeText } from '../free-text.ts'
import type { Call, Part } from '../model.ts'
import { type CallIds, readParts } from './content-read.ts'

/** Calls without an id get one that no other answer has. */
export function answerIds(responseId: string): CallIds {
  let count = 0
  const given = responseId === '' ? crypto.randomUUID() : responseId
  const stem = given.replace(/[^a-zA-Z0-9]/g, '').slice(0, 20)
  return {
    call(id) {
      count += 1
      return id ?? `call_${stem}_${count}`
    },
    result: (id, name) => id ?? name,
  }
}

/** The parts of an answer, under the client's names for its tools. What cannot be read is passed over, and named. */
export function readAnswerParts(parts: unknown, ids: CallIds, context: Context): Part[] {
  return objects(parts).flatMap((part) => readAnswerPart(part, ids, context))
}

function readAnswerPart(json: Json, ids: CallIds, context: Context): Part[] {
  try {
    return readParts([json], ids, context).flatMap((part): Part[] => {
      if (part.kind === 'call') return [named(part, context)]
      if (part.kind === 'text' || part.kind === 'thinking') return [part]
      context.lose('answer-part', part.kind)
      return []
    })
  } catch {
    context.lose('answer-part', Object.keys(json).join(', '))
    return []
  }
}

function named(call: Call, context: Context): Call {
  const name = context.names.back(call.name)
  if (!context.custom.has(name)) return { ...call, name }
  return { ...call, name, input: freeText(call.input), custom: true }
}
