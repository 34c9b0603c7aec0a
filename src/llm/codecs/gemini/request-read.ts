import { type Json, list, object, objects, word } from '../../dialects/json.ts'
import type { Context } from '../codec.ts'
import { effortOf } from '../effort.ts'
import type { Format, ModelRequest, Reasoning, Tool, ToolChoice } from '../model.ts'
import {
  boolean,
  type Fields,
  invalid,
  loseUnread,
  number,
  requiredList,
  requiredWord,
  text,
} from '../reading.ts'
import { fromOpenApi } from '../schema.ts'
import { joinTurns } from '../turns.ts'
import { callIds, readParts, readTurn } from './content-read.ts'
import { joinThoughts } from './thoughts.ts'

const fields: Fields = {
  contents: 'read',
  systemInstruction: 'read',
  system_instruction: 'read',
  tools: 'read',
  toolConfig: 'read',
  generationConfig: 'read',
  model: 'read',
  safetySettings: 'moderation',
  cachedContent: 'stored-state',
  labels: 'labels',
  serviceTier: 'service-tier',
  store: 'storing',
}

const configFields: Fields = {
  temperature: 'read',
  topP: 'read',
  topK: 'read',
  maxOutputTokens: 'read',
  stopSequences: 'read',
  seed: 'read',
  presencePenalty: 'read',
  frequencyPenalty: 'read',
  thinkingConfig: 'read',
  responseMimeType: 'read',
  responseSchema: 'read',
  responseJsonSchema: 'read',
  _responseJsonSchema: 'read',
  candidateCount: 'read',
  responseModalities: 'read',
  responseLogprobs: 'logprobs',
  logprobs: 'logprobs',
  mediaResolution: 'media-settings',
  speechConfig: 'audio-output',
  imageConfig: 'image-output',
  enableEnhancedCivicAnswers: 'media-settings',
}

/** Model and method are in the path. */
export function methodOf(path: string): { model: string; method: string; query: URLSearchParams } {
  const [, model, method, query] = /\/models\/([^/:?]+):(\w+)(?:\?(.*))?$/.exec(path) ?? []
  if (model === undefined || method === undefined)
    invalid(`the path ${path.slice(0, 100)} names no model and method`)
  return { model: decoded(model), method, query: new URLSearchParams(query) }
}

/** Without `alt=sse` a stream is one JSON array, whose elements come one by one. */
export function isSse(path: string): boolean {
  return methodOf(path).query.get('alt') === 'sse'
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return invalid(`the path has the malformed model ${text.slice(0, 100)}`)
  }
}

export function readRequest(body: Json, context: Context): ModelRequest {
  const { model, method } = methodOf(context.path)
  const config = object(body.generationConfig) ?? object(body.generation_config) ?? {}
  loseUnread({ ...body, generation_config: null }, fields, context)
  loseUnread(config, configFields, context)
  const candidates = number(config.candidateCount) ?? 1
  if (candidates > 1) context.lose('several-answers', `candidateCount: ${candidates}`)
  const others = list(config.responseModalities).filter((one) => one !== 'TEXT')
  if (others.length > 0) context.lose(others.includes('AUDIO') ? 'audio-output' : 'image-output')
  const ids = callIds()
  const instruction = body.systemInstruction ?? body.system_instruction
  const system =
    typeof instruction === 'string'
      ? [{ kind: 'text' as const, text: instruction }]
      : readParts(object(instruction)?.parts, ids, context)
  // The SDKs' chats resend each chunk of a streamed answer as a content of its own.
  const contents = requiredList(body.contents, 'contents').map((one) => readTurn(one, ids, context))
  const turns = joinTurns(contents).map(({ role, parts }) => ({ role, parts: joinThoughts(parts) }))
  return {
    model,
    stream: method === 'streamGenerateContent',
    turns: system.length === 0 ? turns : [{ role: 'system', parts: system }, ...turns],
    tools: readTools(body.tools, context),
    toolChoice: readChoice(object(body.toolConfig), context),
    parallel: null,
    maxTokens: number(config.maxOutputTokens),
    temperature: number(config.temperature),
    topP: number(config.topP),
    topK: number(config.topK),
    stop: list(config.stopSequences).map(String),
    seed: number(config.seed),
    frequencyPenalty: number(config.frequencyPenalty),
    presencePenalty: number(config.presencePenalty),
    reasoning: readReasoning(object(config.thinkingConfig)),
    format: readFormat(config),
    user: null,
    openai: {},
  }
}

function readTools(tools: unknown, context: Context): Tool[] {
  return objects(tools).flatMap((tool) => {
    for (const name of Object.keys(tool))
      if (name !== 'functionDeclarations') context.lose('server-tool', name)
    return objects(tool.functionDeclarations).map((one): Tool => {
      const name = requiredWord(one.name, 'name of a function declaration')
      const given = one.parametersJsonSchema ?? one.parameters ?? { type: 'object', properties: {} }
      if (object(given) === null) context.refuse('invalid-schema', name)
      const schema = object(one.parametersJsonSchema) ?? fromOpenApi(given)
      if (schema.type !== undefined && schema.type !== 'object') context.refuse('invalid-schema', name)
      return { name, description: word(one.description), schema, strict: null }
    })
  })
}

function readChoice(config: Json | null, context: Context): ToolChoice | null {
  const calling = object(config?.functionCallingConfig)
  if (calling === null) return null
  const names = list(calling.allowedFunctionNames).map(String)
  const [only] = names
  switch (calling.mode) {
    case 'NONE':
      return { kind: 'none' }
    case 'ANY':
      if (only === undefined) return { kind: 'any' }
      return names.length === 1 ? { kind: 'tool', name: only } : { kind: 'among', names, must: true }
    case 'VALIDATED':
      return names.length > 0 ? { kind: 'among', names, must: false } : { kind: 'auto' }
    case 'AUTO':
    case 'MODE_UNSPECIFIED':
    case undefined:
      return { kind: 'auto' }
    default:
      return context.refuse('unknown-part', `mode ${text(calling.mode)}`)
  }
}

/** A budget of -1 leaves it to the model. */
function readReasoning(config: Json | null): Reasoning | null {
  if (config === null) return null
  const budget = number(config.thinkingBudget)
  return {
    effort: effortOf(text(config.thinkingLevel).toLowerCase() || null),
    budget: budget !== null && budget < 0 ? null : budget,
    visible: boolean(config.includeThoughts) ?? false,
  }
}

function readFormat(config: Json): Format | null {
  const json = object(config.responseJsonSchema) ?? object(config._responseJsonSchema)
  const own = object(config.responseSchema)
  const schema = json ?? (own === null ? null : fromOpenApi(own))
  if (schema !== null) return { kind: 'schema', name: 'answer', description: null, schema, strict: null }
  return config.responseMimeType === 'application/json' ? { kind: 'json' } : null
}
