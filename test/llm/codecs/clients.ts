import type { ChatDialect } from '../../../src/llm/codecs/model.ts'
import { anthropicClient } from './client-anthropic.ts'
import { chatClient } from './client-chat.ts'
import { geminiClient } from './client-gemini.ts'
import { responsesClient } from './client-responses.ts'

/** A conversation in words that every dialect has, for a test to say once. */
export type Say =
  | { user: string; image?: string; pdf?: string }
  | { assistant: string }
  | { calls: { id: string; name: string; input: Record<string, unknown> }[] }
  | { results: { id: string; name: string; text: string }[] }

export type Question = {
  model?: string
  system?: string
  say: Say[]
  tools?: { name: string; schema: Record<string, unknown> }[]
  force?: string
  thinking?: boolean
  schema?: Record<string, unknown>
  stream?: boolean
  maxTokens?: number
}

/** An answer, as the official SDK of a dialect understood it. */
export type Heard = {
  text: string
  thinking: string
  refusal: string
  calls: { name: string; input: unknown }[]
  stop: string
  usage: { input: number; output: number; cached: number; reasoning: number }
}

export type Client = (url: string, question: Question) => Promise<Heard>

export const clients: Record<ChatDialect, Client> = {
  anthropic: anthropicClient,
  'openai-chat': chatClient,
  'openai-responses': responsesClient,
  gemini: geminiClient,
}

export const dialects = Object.keys(clients) as ChatDialect[]

export const pairs = dialects.flatMap((from) =>
  dialects.filter((to) => to !== from).map((to) => [from, to] as const),
)
