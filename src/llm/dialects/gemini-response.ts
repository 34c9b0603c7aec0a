import { addPart } from './gemini-content.ts'
import { count, type Json, object, objects, word } from './json.ts'
import { type Part, toReply } from './message.ts'
import type { Fold } from './reader.ts'
import { type Tokens, withoutCache } from './usage.ts'

export function foldGemini(): Fold {
  let model: string | null = null
  let usage: Json | null = null
  let error: string | null = null
  let stop: string | null = null
  let complete = false
  const parts: Part[] = []

  function read(chunk: Json): void {
    const candidate = objects(chunk.candidates)[0]
    model = word(chunk.modelVersion) ?? model
    // Cumulative: the last one holds.
    usage = object(chunk.usageMetadata) ?? usage
    error = errorStatus(chunk) ?? error
    stop = word(candidate?.finishReason) ?? word(object(chunk.promptFeedback)?.blockReason) ?? stop
    for (const part of objects(object(candidate?.content)?.parts)) addPart(parts, part)
  }

  return {
    whole(body) {
      complete = true
      read(body)
    },
    event: read,
    result() {
      const tokens = geminiTokens(usage)
      return {
        model,
        usage: tokens === null ? null : { ...tokens, final: complete || stop !== null },
        error,
        ...toReply(parts),
        stop_reason: stop,
      }
    },
  }
}

/** `promptTokenCount` includes what was cached; `candidatesTokenCount` does not include thoughts. */
export function geminiTokens(usage: Json | null): Tokens | null {
  if (usage === null) return null
  const prompt = count(usage.promptTokenCount)
  const tools = count(usage.toolUsePromptTokenCount)
  const thoughts = count(usage.thoughtsTokenCount)
  const candidates = count(usage.candidatesTokenCount) ?? count(usage.responseTokenCount)
  const read = count(usage.cachedContentTokenCount)
  return {
    input: prompt === null ? null : (withoutCache(prompt, read, null) ?? 0) + (tools ?? 0),
    output: candidates === null && thoughts === null ? null : (candidates ?? 0) + (thoughts ?? 0),
    cache_read: read,
    cache_write: null,
    cache_write_1h: null,
    reasoning: thoughts,
  }
}

function errorStatus(chunk: Json): string | null {
  const error = object(chunk.error)
  return error === null ? null : (word(error.status) ?? String(error.code ?? 'error'))
}
