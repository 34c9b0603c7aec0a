import { anthropicCodec } from '../codecs/anthropic/index.ts'
import type { Codec, Context, Outgoing } from '../codecs/codec.ts'
import { geminiCodec } from '../codecs/gemini/index.ts'
import type { ChatDialect, ModelRequest } from '../codecs/model.ts'
import { toolNames } from '../codecs/names.ts'
import { chatCodec } from '../codecs/openai-chat/index.ts'
import { responsesCodec } from '../codecs/openai-responses/index.ts'
import { losses } from '../codecs/rules.ts'
import type { Question } from './adapter.ts'

const codecs: Record<ChatDialect, Codec> = {
  anthropic: anthropicCodec,
  'openai-chat': chatCodec,
  'openai-responses': responsesCodec,
  gemini: geminiCodec,
}

/** A question in the words of an API, and who reads its answer. */
export type Wire = { out: Outgoing; codec: Codec; context: Context }

const blank: Omit<ModelRequest, 'model' | 'stream' | 'turns'> = {
  ...{
    tools: [],
    toolChoice: null,
    parallel: null,
    maxTokens: null,
    temperature: null,
    topP: null,
    topK: null,
  },
  ...{ stop: [], seed: null, frequencyPenalty: null, presencePenalty: null, reasoning: null, format: null },
  ...{ user: null, openai: {} },
}

/** @throws SluiceError 400 where the dialect has no place for it */
export function wireOf(
  dialect: ChatDialect,
  { signal, tags, conversation, ...question }: Question,
  { model, stream }: { model: string; stream: boolean },
): Wire {
  const { codec, context } = codecOf(dialect)
  const request: ModelRequest = { ...blank, ...question, turns: [...question.turns], model, stream }
  return { out: codec.writeRequest(request, context), codec, context }
}

/** A dialect's codec, for one call that needs no translation. */
export function codecOf(dialect: ChatDialect): Pick<Wire, 'codec' | 'context'> {
  const context: Context = {
    ...losses(dialect),
    ...{ from: dialect, to: dialect, names: toolNames(dialect), custom: new Set() },
    ...{ asked: {}, path: '/v1beta/models/unknown:generateContent' },
  }
  return { codec: codecs[dialect], context }
}
