import { anthropicTokens } from '../../dialects/anthropic-usage.ts'
import { type Json, object, objects, word } from '../../dialects/json.ts'
import type { Context } from '../codec.ts'
import type { ModelAnswer, Part } from '../model.ts'
import { inputObject, inputText, text } from '../reading.ts'
import { packSeal, unpackSeal } from '../seal.ts'
import { readStop, writeStop } from '../stops.ts'
import { anthropicUsage } from '../usages.ts'

export function readAnswer(body: Json, context: Context): ModelAnswer {
  const parts = objects(body.content).flatMap((block) => readBlock(block, context) ?? [])
  return {
    id: text(body.id),
    model: text(body.model),
    parts: [...parts, ...explained(body)],
    stop: readStop(word(body.stop_reason)),
    sequence: word(body.stop_sequence),
    usage: anthropicTokens(object(body.usage)),
  }
}

/** Why the model refused, where the API says it. */
export function explained(body: Json): Part[] {
  const explanation = word(object(body.stop_details)?.explanation)
  return explanation === null ? [] : [{ kind: 'refusal', text: explanation }]
}

function readBlock(block: Json, context: Context): Part | null {
  switch (block.type) {
    case 'text':
      if (objects(block.citations).length > 0) context.lose('citations')
      return { kind: 'text', text: text(block.text) }
    case 'thinking':
      return {
        kind: 'thinking',
        text: text(block.thinking),
        seal: unpackSeal(text(block.signature), 'anthropic'),
      }
    case 'redacted_thinking':
      return { kind: 'thinking', text: '', seal: { by: 'anthropic', data: text(block.data), redacted: true } }
    case 'tool_use': {
      const name = context.names.back(text(block.name))
      return { kind: 'call', id: text(block.id), name, ...readInput(block.input, context.custom.has(name)) }
    }
    default:
      context.lose('server-history', text(block.type))
      return null
  }
}

/** Free text came as the one string that the function stands for. */
function readInput(input: unknown, custom: boolean): { input: string; custom?: boolean } {
  return custom ? { input: text(object(input)?.input), custom } : { input: inputText(input) }
}

export function writeAnswer(answer: ModelAnswer, context: Context): Json {
  return {
    ...envelope(answer),
    content: answer.parts.map((part) => writeBlock(part, context)).filter((block) => block !== null),
    stop_reason: writeStop(answer.stop, 'anthropic'),
    stop_sequence: answer.sequence,
    stop_details: null,
    usage: anthropicUsage(answer.usage),
  }
}

export function envelope({ id, model }: { id: string; model: string }): Json {
  return {
    id: id.startsWith('msg_') ? id : `msg_${id}`,
    type: 'message',
    role: 'assistant',
    model,
    container: null,
    diagnostics: null,
  }
}

function writeBlock(part: Part, context: Context): Json | null {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return part.text === '' ? null : { type: 'text', text: part.text, citations: null }
    case 'thinking':
      return part.seal?.redacted === true && part.seal.by === 'anthropic'
        ? { type: 'redacted_thinking', data: part.seal.data }
        : {
            type: 'thinking',
            thinking: part.text,
            signature: packSeal(part.seal ?? { by: context.to, data: '', redacted: false }, 'anthropic'),
          }
    case 'call': {
      const input = part.custom ? { input: part.input } : inputObject(part.input, context)
      return { type: 'tool_use', id: part.id, name: part.name, input, caller: { type: 'direct' } }
    }
    default:
      return null
  }
}
