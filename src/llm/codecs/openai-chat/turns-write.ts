import type { Json } from '../../dialects/json.ts'
import type { Context } from '../codec.ts'
import type { Doc, Image, ModelRequest, Part, Result, Turn } from '../model.ts'
import { isReasoningGpt } from '../model-facts.ts'
import { callId } from '../names.ts'
import { splitResult, writeContent } from './content-write.ts'
import { writeThinking } from './thinking.ts'
import { writeCall } from './tools-write.ts'

export function writeTurns({ turns, model }: ModelRequest, context: Context): Json[] {
  return turns.flatMap((turn) => writeTurn(turn, model, context))
}

function writeTurn(turn: Turn, model: string, context: Context): Json[] {
  switch (turn.role) {
    case 'assistant':
      return [writeAssistant(turn.parts, model, context)]
    case 'user':
      return writeUser(turn.parts, model, context)
    case 'system':
    case 'developer': {
      // `developer` is a word of OpenAI's newer models only.
      const role = turn.role === 'developer' && !isReasoningGpt(model) ? 'system' : turn.role
      const content = writeContent(turn.parts, { model }, context)
      return content === '' ? [] : [{ role, content }]
    }
  }
}

/** Results must come right after their calls, and hold text only: images follow in a message of the user. */
function writeUser(parts: readonly Part[], model: string, context: Context): Json[] {
  const media: (Image | Doc)[] = []
  const results = parts.flatMap((part) =>
    part.kind === 'result' ? [writeResult(part, media, model, context)] : [],
  )
  const rest = [...media, ...parts.filter(({ kind }) => kind !== 'result' && kind !== 'thinking')]
  const content = writeContent(rest, { model }, context)
  return content === '' ? results : [...results, { role: 'user', content }]
}

function writeResult(result: Result, media: (Image | Doc)[], model: string, context: Context): Json {
  const { texts, media: others } = splitResult(result.content)
  if (result.error) context.lose('result-error')
  if (others.length > 0) {
    context.lose('result-image')
    media.push(...others)
  }
  const marked =
    result.cache === undefined ? texts : texts.map((one, index) => lastMarked(one, index, texts, result))
  return {
    role: 'tool',
    tool_call_id: callId(result.id, 'openai-chat'),
    content: writeContent(marked, { model }, context),
  }
}

function lastMarked<T extends Part>(part: T, index: number, all: readonly T[], { cache }: Result): T {
  return index === all.length - 1 && cache !== undefined ? { ...part, cache } : part
}

function writeAssistant(parts: readonly Part[], model: string, context: Context): Json {
  const thinking = parts.flatMap((part) => (part.kind === 'thinking' ? [part] : []))
  const own = thinking.filter(({ seal }) => seal?.by === 'openai-chat')
  const signatures = parts.flatMap((part, index) => {
    const next = parts[index + 1]
    const signs =
      part.kind === 'thinking' && part.seal?.by === 'gemini' && part.text === '' && next?.kind === 'call'
    return signs && part.seal && /gemini/.test(model) ? [[next, part.seal.data] as const] : []
  })
  const bySignature = new Map(signatures)
  if (own.length + bySignature.size < thinking.length) context.lose('foreign-thinking')
  const media = parts.find(({ kind }) => kind === 'image' || kind === 'document' || kind === 'audio')
  if (media !== undefined) context.refuse('unknown-part', `${media.kind} said by the model`)
  const content = writeContent(
    parts.filter(({ kind }) => kind === 'text' || kind === 'refusal'),
    { model, between: '' },
    context,
  )
  const calls = parts.flatMap((part) =>
    part.kind === 'call' ? [writeCall(part, { model, signature: bySignature.get(part) }, context)] : [],
  )
  return {
    role: 'assistant',
    // Calls alone have no content; an empty list of them is refused.
    content: content === '' && calls.length > 0 ? null : content,
    ...writeThinking(own),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  }
}
