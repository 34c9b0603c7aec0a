import { type Json, object, objects, parseJson, word } from '../../dialects/json.ts'
import { chatTokens } from '../../dialects/openai-usage.ts'
import type { Context, StreamReader } from '../codec.ts'
import { readError } from '../errors.ts'
import type { Emit } from '../events.ts'
import type { Part, Stop } from '../model.ts'
import { text } from '../reading.ts'
import { sequencer } from '../sequencer.ts'
import { readStop, stopWith } from '../stops.ts'
import { contentText } from './answer.ts'
import { readThinking, readThinkingParts } from './thinking.ts'
import { readCall } from './tools-read.ts'

export function streamReader(emit: Emit, context: Context): StreamReader {
  const blocks = sequencer(emit)
  const ids = new Map<string, string>()
  const kinds = new Set<Part['kind']>()
  let started = false
  let stop: { stop: Stop; sequence: string | null } | null = null
  let failed = false

  function start(chunk: Json): void {
    started = true
    emit({ type: 'start', id: text(chunk.id), model: text(chunk.model) })
  }

  /** Text and thinking are not numbered: the other kind ends the one before. */
  function say(kind: 'text' | 'thinking' | 'refusal', said: string): void {
    if (said === '') return
    if (!blocks.has(kind)) {
      for (const other of ['text', 'thinking', 'refusal']) blocks.close(other)
      blocks.open(kind, { kind })
      kinds.add(kind)
    }
    blocks.delta(kind, said)
  }

  function think(delta: Json): void {
    for (const { text, seal } of readThinking(delta)) {
      if (text === '' && seal?.data) sign()
      say('thinking', text)
      if (seal?.data) blocks.seal('thinking', seal)
    }
  }

  /** A signature may come in a chunk of its own, even before any word. */
  function sign(): void {
    if (!blocks.has('thinking')) blocks.open('thinking', { kind: 'thinking' })
  }

  function call(delta: Json, at: number): void {
    const key = keyOf(delta, at)
    const inner = object(delta.function) ?? object(delta.custom) ?? {}
    if (!blocks.has(key)) openCall(key, delta)
    blocks.delta(key, text(inner.arguments) || text(inner.input))
  }

  /** Some servers give every call the same index, or none: then a new id is a new call. */
  function keyOf(delta: Json, at: number): string {
    const index = String(delta.index ?? at)
    const id = word(delta.id)
    const known = ids.get(index)
    if (id !== null && id !== known) {
      if (known !== undefined) blocks.close(`call ${index} ${known}`)
      ids.set(index, id)
    }
    return `call ${index} ${ids.get(index) ?? ''}`
  }

  function openCall(key: string, delta: Json): void {
    const [first, second] = readCall(delta)
    const found = second ?? first
    if (found?.kind !== 'call') return
    for (const other of ['text', 'thinking', 'refusal']) blocks.close(other)
    const before = blocks.current()
    // A call whose arguments are whole is over when the next begins; otherwise they are interleaved.
    if (before !== null && object(parseJson(blocks.textOf(before))) !== null) blocks.close(before)
    if (first?.kind === 'thinking' && first.seal !== null) {
      const signature = `signature of ${key}`
      blocks.open(signature, { kind: 'thinking' })
      blocks.seal(signature, first.seal)
      blocks.close(signature)
    }
    const name = context.names.back(found.name)
    kinds.add('call')
    const wrapped = found.custom !== true && context.custom.has(name)
    blocks.open(key, { kind: 'call', id: found.id, name, custom: found.custom === true || wrapped, wrapped })
  }

  function read(choice: Json): void {
    const delta = object(choice.delta) ?? object(choice.message) ?? {}
    think(delta)
    for (const part of readThinkingParts(delta.content)) say('thinking', part.text)
    say('text', contentText(delta.content))
    say('refusal', text(delta.refusal))
    objects(delta.tool_calls).forEach(call)
    const reason = word(choice.finish_reason)
    if (reason !== null) stop = { stop: readStop(reason), sequence: word(choice.stop_reason) }
  }

  return {
    event(chunk) {
      if (object(chunk.error) !== null || typeof chunk.error === 'string') {
        failed = true
        blocks.closeAll()
        emit({ type: 'error', error: readError(chunk, null) })
        return
      }
      if (!started) start(chunk)
      for (const choice of objects(chunk.choices).slice(0, 1)) read(choice)
      const usage = chatTokens(object(chunk.usage))
      if (usage !== null) emit({ type: 'usage', usage })
    },
    end() {
      blocks.closeAll()
      if (stop !== null) emit({ type: 'stop', ...stop, stop: stopWith(stop.stop, kinds) })
      return stop !== null || failed
    },
  }
}
