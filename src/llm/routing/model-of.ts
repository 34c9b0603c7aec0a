import { stringMember } from '#lib/json-edit'
import { decompress } from '../decompress.ts'
import { readableBytes } from '../dialects/json.ts'

/** Gemini names the model in the path, which may have a prefix: `/v1beta/models/{model}:generateContent`. */
const inPath = /^(.*\/v1(?:alpha|beta)?\/models\/)([^/:?]+)(:[^/]*)$/s

export function modelInPath(path: string): { model: string; replace(model: string): string } | null {
  const found = inPath.exec(path)
  if (found === null) return null
  const [, start = '', model = '', end = ''] = found
  return { model: decoded(model), replace: (other) => start + encodeURIComponent(other) + end }
}

/** Paths of calls that rules are about: those that make a model work, and those that count for it. */
const onward =
  /\/(?:messages|messages\/count_tokens|chat\/completions|responses|embeddings)$|\/models\/[^/]+:(?:\w*[gG]enerateContent|countTokens|\w*[eE]mbedContents?)$/

export function isOnward(path: string): boolean {
  const query = path.indexOf('?')
  return onward.test(query === -1 ? path : path.slice(0, query))
}

/** The model that a call asks for; null where it names none that can be read. */
export function modelOf(path: string, body: Uint8Array | null, encoding: string | null): string | null {
  const named = modelInPath(path)
  if (named !== null) return named.model
  if (body === null) return null
  const plain = encoding === null ? body : decompress(body, encoding, readableBytes)
  return plain === null ? null : stringMember(plain, 'model')
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
