import type { Message, ToolUse } from '#capture'
import { cleanText } from '#lib/errors'
import { canonicalJson, parseJson } from './json.ts'

/** What a message is made of, whatever the dialect. Thinking is left out: clients resend it or not. */
export type Part =
  | { kind: 'text'; text: string }
  /** `input` is JSON, or its text as OpenAI's dialects carry it. The id is no part of what is meant. */
  | { kind: 'call'; name: string; input: unknown; id?: string | null }
  | { kind: 'result'; text: string }
  /** Shown as `[image]`, `[document]`, …; `key` tells two of them apart. */
  | { kind: 'media'; label: string; key: string }

/** Longer texts are cut in what people read and search; the bytes are kept elsewhere. */
const longestText = 1024 * 1024

/**
 * The readable text of a message and the digest of its meaning. Null where nothing but thinking or blank space
 * is in it, so that it does not matter whether a client resends that.
 */
export function toMessage(role: Message['role'], parts: readonly Part[]): Message | null {
  const shown: string[] = []
  const meant: string[] = []
  let run = ''
  for (const part of parts) {
    if (part.kind === 'text') {
      const text = part.text.trim()
      if (text === '') continue
      shown.push(text)
      // Clients join, split and trim text blocks; what is said stays the same.
      run += text
      continue
    }
    if (run !== '') meant.push(`t${run}`)
    run = ''
    if (part.kind === 'call') {
      const input = callInput(part.input)
      shown.push(`${part.name}(${input})`)
      meant.push(`c${part.name}\n${input}`)
    } else if (part.kind === 'result') {
      shown.push(part.text)
      if (role !== 'assistant') meant.push(`r${part.text.trim()}`)
    } else {
      shown.push(`[${part.label}]`)
      meant.push(`m${part.label}\n${part.key}`)
    }
  }
  if (run !== '') meant.push(`t${run}`)
  if (shown.length === 0) return null
  return { role, text: readable(shown.join('\n')), digest: digest(role, meant) }
}

/** What a model answered, and the tool uses in it that have ids. */
export function toReply(parts: readonly Part[]): { reply: Message | null; tool_uses: ToolUse[] } {
  const tool_uses = parts.flatMap((part) =>
    part.kind === 'call' && part.id
      ? { id: named(part.id), name: part.name === '' ? null : named(part.name) }
      : [],
  )
  return { reply: toMessage('assistant', parts), tool_uses }
}

/** A name goes into columns: bounded, and of text that a database takes. */
function named(text: string): string {
  return cleanText(text.slice(0, 200))
}

/** Collects a history; neighbours of the assistant become one message, as the model answered them at once. */
export function collectHistory(): {
  add(role: Message['role'], parts: readonly Part[]): void
  messages(): Message[]
} {
  const open: { role: Message['role']; parts: Part[] }[] = []
  return {
    add(role, parts) {
      const last = open.at(-1)
      if (role === 'assistant' && last?.role === 'assistant') last.parts.push(...parts)
      else open.push({ role, parts: [...parts] })
    },
    messages: () =>
      open.map(({ role, parts }) => toMessage(role, parts)).filter((message) => message !== null),
  }
}

/** Enough of a large binary part to tell it from another without hashing all of it. */
export function mediaKey(data: string): string {
  return data.length <= 256 ? data : `${data.length}:${data.slice(0, 64)}${data.slice(-64)}`
}

/** What a stream adds up to is bounded, whatever an upstream sends. */
export function append(text: string, delta: string): string {
  return text.length > 4 * longestText ? text : text + delta
}

function callInput(input: unknown): string {
  if (typeof input !== 'string') return canonicalJson(input ?? {})
  if (input.trim() === '') return '{}'
  const parsed = parseJson(input)
  return parsed === undefined ? input.trim() : canonicalJson(parsed)
}

function digest(role: string, meant: readonly string[]): string {
  return Bun.SHA256.hash(`${role}\n${meant.join('\n\0')}`, 'hex').slice(0, 32)
}

function readable(text: string): string {
  if (text.length <= longestText) return cleanText(text)
  return cleanText(`${text.slice(0, longestText)}\n[cut: ${text.length} characters]`)
}
