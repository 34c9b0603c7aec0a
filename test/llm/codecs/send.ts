import { SluiceError } from '#lib/errors'
import { type DialectName, translator } from '../../../src/llm/codecs/index.ts'
import type { ChatDialect } from '../../../src/llm/codecs/model.ts'

type Json = Record<string, unknown>

export const paths: Record<ChatDialect, string> = {
  anthropic: '/v1/messages',
  'openai-chat': '/v1/chat/completions',
  'openai-responses': '/v1/responses',
  gemini: '/v1beta/models/gemini-2.5-flash:generateContent',
}

/** Translates one request, and gives what would be sent and what can come back. */
export function send(
  from: DialectName,
  to: DialectName,
  body: unknown,
  {
    path = paths[from as ChatDialect],
    headers = {},
  }: { path?: string; headers?: Record<string, string> } = {},
) {
  const translating = translator(from, to)
  if (translating === null) throw new Error('nothing to translate')
  const bytes = new TextEncoder().encode(JSON.stringify(body))
  const out = translating.request(bytes, path, new Headers(headers), { model: null })
  const decoded = new TextDecoder().decode(out.body)
  return {
    ...out,
    text: decoded,
    sent: JSON.parse(decoded) as Json,
    lost: out.warnings.map((line) => line.slice(0, line.indexOf(':'))),
    answer(upstream: unknown, status = 200) {
      const text = typeof upstream === 'string' ? upstream : JSON.stringify(upstream)
      const answered = translating.response(new TextEncoder().encode(text), status)
      return { ...answered, json: JSON.parse(new TextDecoder().decode(answered.body)) as Json }
    },
    relay: () => translating.relay(),
  }
}

/** The refusal of a request that must not be sent. */
export function refused(from: DialectName, to: DialectName, body: unknown, path?: string): SluiceError {
  try {
    send(from, to, body, path === undefined ? {} : { path })
  } catch (error) {
    if (error instanceof SluiceError) return error
    throw error
  }
  throw new Error('the request was not refused')
}
