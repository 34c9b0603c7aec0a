import { SluiceError } from '#lib/errors'
import { object, parseJson } from '../dialects/json.ts'
import {
  type EmbeddingCall,
  embeddingsFromGemini,
  embeddingsFromOpenai,
  embeddingsToGemini,
  embeddingsToOpenai,
} from './embeddings.ts'
import { readErrorBody, writeError } from './errors.ts'
import { clientHeaders } from './headers.ts'
import { invalid } from './reading.ts'
import { losses } from './rules.ts'
import type { DialectName, Translator } from './translation.ts'

/** OpenAI's and Gemini's embeddings. Null where the bytes can pass, as within OpenAI. */
export function embeddingTranslator(from: DialectName, to: DialectName): Translator | null {
  if (to === 'anthropic' || from === 'anthropic') return refusing(to)
  const isGemini = to === 'gemini'
  if (isGemini === (from === 'gemini')) return null
  const lost = losses(isGemini ? 'gemini' : 'openai-embeddings')
  let call: EmbeddingCall = { model: '', base64: false, single: false }
  const encoder = new TextEncoder()

  return {
    request(bytes, path, headers, { model }) {
      const body = object(parseJson(new TextDecoder().decode(bytes))) ?? invalid('the body is no JSON object')
      const { set, drop } = clientHeaders(headers, lost)
      const out = isGemini
        ? embeddingsToGemini(body, model, lost)
        : embeddingsToOpenai(body, { path, model }, lost)
      call = out.call
      const json = encoder.encode(JSON.stringify(out.body))
      return { path: out.path, body: json, headers: set, drop, warnings: lost.warnings() }
    },
    response(bytes, status) {
      const text = new TextDecoder().decode(bytes)
      const body = object(parseJson(text))
      if (status < 400 && body === null) {
        throw new SluiceError(
          502,
          'upstream-malformed',
          'Cannot read the embeddings of the provider: no JSON object',
        )
      }
      const translated =
        status >= 400 || body === null
          ? writeError(readErrorBody(text, status), from)
          : isGemini
            ? embeddingsFromGemini(body, call, lost)
            : embeddingsFromOpenai(body, call)
      const json = encoder.encode(JSON.stringify(translated))
      return { body: json, contentType: 'application/json', status, warnings: lost.warnings() }
    },
    streamType: noStream,
    relay: noStream,
    stream: noStream,
  }
}

/** A route may lead anywhere: the refusal comes with the request, in the words of the rules. */
function refusing(to: DialectName): Translator {
  return {
    request: () => losses(to === 'openai-models' ? 'openai-embeddings' : to).refuse('embeddings'),
    response: noStream,
    streamType: noStream,
    relay: noStream,
    stream: noStream,
  }
}

function noStream(): never {
  throw new SluiceError(400, 'unsupported-feature', 'Embeddings are not streamed')
}
