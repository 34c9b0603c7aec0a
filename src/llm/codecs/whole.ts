import type { Emit } from './events.ts'
import type { ModelAnswer } from './model.ts'

/** A whole answer as a stream, for clients that asked for one where the upstream sent none. */
export function streamAnswer(answer: ModelAnswer, emit: Emit): void {
  emit({ type: 'start', id: answer.id, model: answer.model })
  if (answer.usage !== null) emit({ type: 'usage', usage: answer.usage })
  for (const part of answer.parts) {
    if (part.kind === 'call') {
      const { id, name, custom = false } = part
      emit({ type: 'open', block: { kind: 'call', id, name, custom } })
      if (part.input !== '') emit({ type: 'delta', text: part.input })
    } else if (part.kind === 'text' || part.kind === 'refusal' || part.kind === 'thinking') {
      emit({ type: 'open', block: { kind: part.kind } })
      if (part.text !== '') emit({ type: 'delta', text: part.text })
      if (part.kind === 'thinking' && part.seal !== null) emit({ type: 'seal', seal: part.seal })
    } else continue
    emit({ type: 'close' })
  }
  emit({ type: 'stop', stop: answer.stop, sequence: answer.sequence })
  emit({ type: 'end' })
}
