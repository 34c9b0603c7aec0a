import { decompress } from '../../decompress.ts'
import type { Dialect } from '../../dialects/dialect.ts'
import { dialectOfPath } from '../../dialects/dialects.ts'
import { openaiModels } from '../../dialects/openai-models.ts'
import { countTokens, messages } from './anthropic.ts'
import { geminiMethod } from './gemini.ts'
import { listGeminiModels, listModels } from './models.ts'
import { chatCompletions } from './openai-chat.ts'
import { embeddings } from './openai-embeddings.ts'
import { inputTokens, responses } from './openai-responses.ts'
import { errorReply } from './reply.ts'
import { readSent, type Sent } from './sent.ts'

type Post = (sent: Sent, path: string, query: URLSearchParams) => Response | Promise<Response>

/** Ends of paths, so that the mock can stand under any prefix. */
const posts: [RegExp, Post][] = [
  [/\/messages$/, messages],
  [/\/messages\/count_tokens$/, countTokens],
  [/\/chat\/completions$/, chatCompletions],
  [/\/responses$/, responses],
  [/\/responses\/input_tokens$/, inputTokens],
  [/\/embeddings$/, embeddings],
  [/\/models\/[^/]+:\w+$/, geminiMethod],
]

/** One request of the mock's, from its path to its answer. */
export async function answer(request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url)
  const dialect = dialectOfPath(pathname) ?? openaiModels
  const post = posts.find(([pattern]) => pattern.test(pathname))?.[1]
  const reply =
    post === undefined
      ? await get(request, pathname, dialect)
      : await postReply(request, dialect, (sent) => post(sent, pathname, searchParams))
  reply.headers.set('request-id', 'req_mock')
  reply.headers.set('x-request-id', 'req_mock')
  return reply
}

async function postReply(
  request: Request,
  dialect: Dialect,
  post: (sent: Sent) => Response | Promise<Response>,
): Promise<Response> {
  if (request.method !== 'POST') return errorReply(dialect, 405, `Not allowed: ${request.method}`)
  const sent = readSent(await unpacked(request))
  return sent === null
    ? errorReply(dialect, 400, 'The body of the request is not a JSON object.')
    : post(sent)
}

async function get(request: Request, path: string, dialect: Dialect): Promise<Response> {
  if (path === '/') return Response.json({ name: 'sluice mock' })
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return errorReply(dialect, path.includes('/models') ? 405 : 404, `Not found: ${request.method} ${path}`)
  }
  if (/\/v1beta\/models(\/[^/]+)?$/.test(path)) return listGeminiModels(path)
  if (/\/models(\/[^/]+)?$/.test(path)) return listModels(path, request.headers)
  return errorReply(dialect, 404, `Not found: ${path}`)
}

/** Codex sends its bodies with zstd, others with gzip. */
async function unpacked(request: Request): Promise<Uint8Array> {
  const bytes = new Uint8Array(await request.arrayBuffer())
  return decompress(bytes, request.headers.get('content-encoding'), 128 * 1024 * 1024) ?? new Uint8Array()
}
