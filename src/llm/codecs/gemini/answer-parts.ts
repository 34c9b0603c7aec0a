import type { Context } from '../codec.ts'
import { freeText } from '../free-text.ts'
import type { Part } from '../model.ts'
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

/** The parts of an answer, under the client's names for its tools. What cannot be read is passed over. */
export function readAnswerParts(parts: unknown, ids: CallIds, context: Context): Part[] {
  let read: Part[] = []
  try {
    read = readParts(parts, ids, context)
  } catch {
    context.lose('unknown-part')
  }
  return read.map((part) => {
    if (part.kind !== 'call') return part
    const name = context.names.back(part.name)
    if (!context.custom.has(name)) return { ...part, name }
    return { ...part, name, input: freeText(part.input), custom: true }
  })
}
