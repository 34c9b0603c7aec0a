import { count, type Json, object, objects } from './json.ts'
import { addTokens, type Tokens } from './usage.ts'

/**
 * Counts of the stream are cumulative: each event that has some replaces those before, field by field
 * (`message_delta` may leave out what `message_start` said).
 */
export function mergeAnthropicUsage(before: Json | null, now: Json | null): Json | null {
  if (now === null) return before
  const said = Object.entries(now).filter(([, value]) => value !== null && value !== undefined)
  return { ...before, ...Object.fromEntries(said) }
}

export function anthropicTokens(usage: Json | null): Tokens | null {
  if (usage === null) return null
  const compactions = objects(usage.iterations).filter((iteration) => iteration.type === 'compaction')
  // Billed, but not part of the counts on top.
  return compactions.reduce<Tokens | null>((sum, one) => addTokens(sum, levelTokens(one)), levelTokens(usage))
}

/** `input_tokens` is already without what came from and went to the cache. */
function levelTokens(usage: Json): Tokens {
  const creation = object(usage.cache_creation)
  const hour = count(creation?.ephemeral_1h_input_tokens)
  const minutes = count(creation?.ephemeral_5m_input_tokens)
  const written = count(usage.cache_creation_input_tokens)
  return {
    input: count(usage.input_tokens),
    output: count(usage.output_tokens),
    cache_read: count(usage.cache_read_input_tokens),
    cache_write: written ?? (hour === null && minutes === null ? null : (hour ?? 0) + (minutes ?? 0)),
    cache_write_1h: hour,
    reasoning: count(object(usage.output_tokens_details)?.thinking_tokens),
  }
}
