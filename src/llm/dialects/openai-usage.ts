import { count, type Json, object } from './json.ts'
import { type Tokens, withoutCache } from './usage.ts'

/** Usage of chat completions and of embeddings, with the words that compatible providers use instead. */
export function chatTokens(usage: Json | null): Tokens | null {
  const total = count(usage?.prompt_tokens)
  if (usage === null || (total === null && count(usage.completion_tokens) === null)) return null
  const input = object(usage.prompt_tokens_details)
  // DeepSeek says `prompt_cache_hit_tokens`, Moonshot `cached_tokens` beside the totals.
  const read =
    count(input?.cached_tokens) ?? count(usage.prompt_cache_hit_tokens) ?? count(usage.cached_tokens)
  const written = count(input?.cache_write_tokens)
  const reasoning = count(object(usage.completion_tokens_details)?.reasoning_tokens)
  return {
    input: withoutCache(total, read, written),
    output: chatOutput(usage, reasoning ?? 0),
    cache_read: read,
    cache_write: written,
    cache_write_1h: null,
    reasoning,
  }
}

/** Usage of the Responses API. */
export function responsesTokens(usage: Json | null): Tokens | null {
  const total = count(usage?.input_tokens)
  if (usage === null || (total === null && count(usage.output_tokens) === null)) return null
  const input = object(usage.input_tokens_details)
  const read = count(input?.cached_tokens)
  const written = count(input?.cache_write_tokens)
  return {
    input: withoutCache(total, read, written),
    output: count(usage.output_tokens),
    cache_read: read,
    cache_write: written,
    cache_write_1h: null,
    reasoning: count(object(usage.output_tokens_details)?.reasoning_tokens),
  }
}

/** OpenAI counts reasoning as part of the completion; xAI beside it, which only the total gives away. */
function chatOutput(usage: Json, reasoning: number): number | null {
  const completion = count(usage.completion_tokens)
  const beside = (count(usage.prompt_tokens) ?? 0) + (completion ?? 0) + reasoning
  return completion !== null && reasoning > 0 && count(usage.total_tokens) === beside
    ? completion + reasoning
    : completion
}
