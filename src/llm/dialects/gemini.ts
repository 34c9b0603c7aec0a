import type { Dialect, RequestReading } from './dialect.ts'
import { geminiError } from './errors.ts'
import { addPart, geminiParts } from './gemini-content.ts'
import { foldGemini } from './gemini-response.ts'
import { type Json, object, objects, parseBody, word } from './json.ts'
import { collectHistory, type Part } from './message.ts'
import { foldReader } from './reader.ts'
import { skimGemini } from './skim.ts'

/** https://ai.google.dev/api/generate-content; the model and the method are in the path. */
export const gemini: Dialect = {
  name: 'gemini',
  errorBody: geminiError,
  readRequest,
  skims: skimGemini,
  responseReader: () => foldReader(foldGemini()),
}

function readRequest(body: Uint8Array, path: string): RequestReading {
  const [, model, method] = /\/(?:models|tunedModels)\/([^/:?]+)(?::(\w+))?/.exec(path) ?? []
  const talks = method === 'generateContent' || method === 'streamGenerateContent'
  const request = talks ? parseBody(body) : null
  return {
    model: model === undefined ? null : decode(model),
    stream: method === 'streamGenerateContent',
    history: request === null ? [] : readHistory(request),
    session: null,
  }
}

function readHistory(request: Json): RequestReading['history'] {
  const history = collectHistory()
  const system = object(request.systemInstruction) ?? object(request.system_instruction)
  history.add('system', geminiParts(system?.parts))
  for (const { role, parts } of turns(request.contents)) history.add(speaker(role, parts), parts)
  return history.messages()
}

/** The SDKs' chats resend each chunk of a streamed answer as a content of its own: they are one again here. */
function turns(contents: unknown): { role: string | null; parts: Part[] }[] {
  const turns: { role: string | null; parts: Part[] }[] = []
  for (const content of objects(contents)) {
    const role = word(content.role)
    const last = turns.at(-1)
    if (role !== 'model' || last?.role !== 'model') turns.push({ role, parts: geminiParts(content.parts) })
    else for (const part of objects(content.parts)) addPart(last.parts, part)
  }
  return turns
}

/** Results of functions come under `user` or, from older clients, `function`. */
function speaker(role: unknown, parts: readonly Part[]): 'assistant' | 'tool' | 'user' {
  if (word(role) === 'model') return 'assistant'
  return parts.some((part) => part.kind === 'result') ? 'tool' : 'user'
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
