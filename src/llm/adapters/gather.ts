import type { Block, StreamEvent } from '../codecs/events.ts'
import type { Counts, ModelAnswer, ModelError, Part, Seal, Stop } from '../codecs/model.ts'
import type { Piece } from './adapter.ts'

/** Puts a neutral stream together. */
export type Gathering = {
  take(event: StreamEvent): void
  /** What has come since the last call. */
  pieces(): Piece[]
  failure(): ModelError | null
  answer(): ModelAnswer
}

export function gather(model: string): Gathering {
  const answer: ModelAnswer = { id: '', model, parts: [], stop: 'end', sequence: null, usage: null }
  let ready: Piece[] = []
  let failed: ModelError | null = null
  let open: { block: Block; text: string; seal: Seal | null } | null = null

  return {
    take,
    pieces() {
      const taken = ready
      ready = []
      return taken
    },
    failure: () => failed,
    answer: () => answer,
  }

  function take(event: StreamEvent): void {
    if (event.type === 'start') started(event)
    else if (event.type === 'open') open = { block: event.block, text: '', seal: null }
    else if (event.type === 'delta') grown(event.text)
    else if (event.type === 'seal' && open !== null) open.seal = event.seal
    else if (event.type === 'close') closed()
    else if (event.type === 'usage') answer.usage = event.usage satisfies Counts
    else if (event.type === 'stop') stopped(event.stop, event.sequence)
    else if (event.type === 'error') failed = event.error
  }

  function started({ id, model: served }: { id: string; model: string }): void {
    answer.id = id
    if (served !== '') answer.model = served
  }

  function grown(text: string): void {
    if (open === null) return
    open.text += text
    const { kind } = open.block
    if (kind !== 'call') ready.push({ type: kind === 'thinking' ? 'thinking' : 'text', text })
  }

  function stopped(stop: Stop, sequence: string | null): void {
    answer.stop = stop
    answer.sequence = sequence
  }

  function closed(): void {
    if (open === null) return
    answer.parts.push(partOf(open))
    open = null
  }
}

function partOf({ block, text, seal }: { block: Block; text: string; seal: Seal | null }): Part {
  if (block.kind === 'thinking') return { kind: 'thinking', text, seal }
  if (block.kind !== 'call') return { kind: block.kind, text }
  const { id, name, custom } = block
  return { kind: 'call', id, name, input: text || '{}', ...(custom ? { custom } : {}) }
}
