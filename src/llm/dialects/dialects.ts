import { anthropic } from './anthropic.ts'
import type { Dialect } from './dialect.ts'
import { gemini } from './gemini.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiEmbeddings } from './openai-embeddings.ts'
import { openaiModels } from './openai-models.ts'
import { openaiResponses } from './openai-responses.ts'

const all = new Map(
  [anthropic, openaiChat, openaiResponses, openaiEmbeddings, openaiModels, gemini].map((dialect) => [
    dialect.name,
    dialect,
  ]),
)

/** First match wins. Ends of paths, so that prefixes of vendors and of `/p/{provider}` do not matter. */
const paths: [RegExp, Dialect][] = [
  [/\/messages(\/count_tokens|\/batches.*)?$/, anthropic],
  [/\/chat\/completions$/, openaiChat],
  [/\/responses(\/.*)?$/, openaiResponses],
  [/\/embeddings$/, openaiEmbeddings],
  [/\/v1beta\/models(\/.*)?$/, gemini],
  [/\/models\/[^/]+:\w+$/, gemini],
  [/\/models(\/[^/]+)?$/, openaiModels],
]

export function dialectNamed(name: string | null): Dialect | null {
  return name === null ? null : (all.get(name) ?? null)
}

/** The dialect that a path (query allowed) speaks; null where the path gives none away. */
export function dialectOfPath(path: string): Dialect | null {
  const bare = path.replace(/[?#].*$/s, '').replace(/\/+$/, '')
  return paths.find(([pattern]) => pattern.test(bare))?.[1] ?? null
}
