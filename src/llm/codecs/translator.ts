import { SluiceError } from '#lib/errors'
import { type Json, object, parseJson } from '../dialects/json.ts'
import { anthropicCodec } from './anthropic/index.ts'
import type { Codec, Context, Outgoing } from './codec.ts'
import { asksForCount, countedBody, translateCount, writeCount } from './counting.ts'
import { embeddingTranslator } from './embedding-translator.ts'
import { asksForEmbeddings } from './embeddings.ts'
import { readError, readErrorBody, writeError } from './errors.ts'
import type { StreamEvent } from './events.ts'
import { geminiCodec } from './gemini/index.ts'
import { isSse } from './gemini/request-read.ts'
import { clientHeaders } from './headers.ts'
import type { ChatDialect } from './model.ts'
import { toolNames } from './names.ts'
import { chatCodec } from './openai-chat/index.ts'
import { responsesCodec } from './openai-responses/index.ts'
import { invalid } from './reading.ts'
import { isAnswer } from './recognise.ts'
import { relay } from './relay.ts'
import { losses } from './rules.ts'
import { isChat } from './stops.ts'
import { streamThrough } from './stream.ts'
import type { DialectName, Translator } from './translation.ts'
import { streamAnswer } from './whole.ts'

const codecs: Record<ChatDialect, Codec> = {
  anthropic: anthropicCodec,
  'openai-chat': chatCodec,
  'openai-responses': responsesCodec,
  gemini: geminiCodec,
}

/**
 * The translation of one call between a client's dialect and an upstream's. Take a new one for each try:
 * `request` remembers what the answer needs to know. Null where nothing needs translating, as both are the same.
 */
export function translator(from: DialectName, to: DialectName): Translator | null {
  if (from === to) return null
  if (from === 'openai-embeddings' || to === 'openai-embeddings') return embeddingTranslator(from, to)
  return isChat(from) && isChat(to) ? chatTranslator(from, to) : null
}

function chatTranslator(from: ChatDialect, to: ChatDialect): Translator {
  const own = codecs[from]
  const theirs = codecs[to]
  let context = newContext({ from, to, asked: {}, path: defaultPath(from) })
  let counts = false
  let streams = false
  let embeds: Translator | null = null

  return {
    request(body, path, headers, target) {
      if (asksForEmbeddings(path)) {
        embeds = embeddingTranslator(from, to)
        if (embeds === null) return losses(to).refuse('embeddings')
        return embeds.request(body, path, headers, target)
      }
      counts = asksForCount(path)
      const asked = bodyOf(body)
      context = newContext({ from, to, asked, path })
      const { set, drop } = clientHeaders(headers, context)
      const { out, json } = shallow(() => translateRequest(asked, target.model))
      const renamed = context.names.changed()
      if (renamed.length > 0) context.lose('tool-name', renamed.join(', '))
      context.towards(from)
      return {
        path: out.path,
        body: encoder.encode(json),
        headers: { ...set, ...out.headers },
        drop,
        warnings: context.warnings(),
      }
    },
    response(body, status) {
      if (embeds !== null) return embeds.response(body, status)
      const answered = translate(new TextDecoder().decode(body), status)
      return { ...answered, warnings: context.warnings() }
    },
    streamType,
    relay: () => relay(own, theirs, context),
    stream: () => streamThrough(relay(own, theirs, context)),
  }

  function streamType(): string {
    if (from === 'gemini' && !isSse(context.path)) return 'application/json'
    return 'text/event-stream; charset=utf-8'
  }

  function translateRequest(asked: Json, model: string | null): { out: Outgoing; json: string } {
    const request = own.readRequest(counts ? countedBody(asked) : asked, context)
    if (model !== null) request.model = model
    streams = request.stream && !counts
    const out = counts ? writeCount(request, theirs, context) : theirs.writeRequest(request, context)
    return { out, json: JSON.stringify(out.body) }
  }

  function translate(text: string, status: number): Answered {
    if (status >= 400) return json(writeError(readErrorBody(text, status), from), status)
    const body = object(parseJson(text))
    if (body === null) throw malformed('it is no JSON object')
    if (counts) return json(translateCount(body, from), status)
    if (object(body.error) !== null || body.status === 'failed') {
      const error = readError(body, null)
      return json(writeError(error, from), error.status)
    }
    if (!isAnswer(body, to)) throw malformed(`it has neither an answer of ${to} nor an error`)
    const answer = theirs.readAnswer(body, context)
    if (!streams) return json(own.writeAnswer(answer, context), status)
    const writer = own.streamWriter(context)
    let out = ''
    streamAnswer(answer, (event: StreamEvent) => {
      out += writer.write(event)
    })
    return { body: encoder.encode(out), contentType: streamType(), status }
  }
}

type Answered = { body: Uint8Array; contentType: string; status: number }

const encoder = new TextEncoder()

function json(value: unknown, status: number): Answered {
  return { body: encoder.encode(JSON.stringify(value)), contentType: 'application/json', status }
}

function newContext(call: Pick<Context, 'from' | 'to' | 'asked' | 'path'>): Context {
  return { ...losses(call.to), ...call, names: toolNames(call.to), custom: new Set() }
}

function malformed(how: string): SluiceError {
  return new SluiceError(502, 'upstream-malformed', `Cannot read the answer of the provider: ${how}`)
}

/** Values nested by the ten thousand end every recursion: the client's fault, not ours. */
function shallow<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof RangeError) invalid('it is nested too deeply')
    throw error
  }
}

/** @throws SluiceError 400 */
function bodyOf(bytes: Uint8Array): Json {
  return object(parseJson(new TextDecoder().decode(bytes))) ?? invalid('the body is no JSON object')
}

function defaultPath(dialect: ChatDialect): string {
  return dialect === 'gemini' ? '/v1beta/models/unknown:generateContent' : ''
}
