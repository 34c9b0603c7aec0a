import type { Json } from '../dialects/json.ts'
import type { Counts } from './model.ts'

/** All that went in, cached or not, as every dialect but Anthropic's counts it. */
function input({ input, cache_read, cache_write }: Counts): number {
  return (input ?? 0) + (cache_read ?? 0) + (cache_write ?? 0)
}

export function anthropicUsage(counts: Counts | null): Json {
  const hour = counts?.cache_write_1h ?? 0
  const written = counts?.cache_write ?? 0
  return {
    input_tokens: counts?.input ?? 0,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: counts?.cache_read ?? 0,
    cache_creation: { ephemeral_5m_input_tokens: written - hour, ephemeral_1h_input_tokens: hour },
    output_tokens: counts?.output ?? 0,
    output_tokens_details: counts?.reasoning == null ? null : { thinking_tokens: counts.reasoning },
    server_tool_use: null,
    service_tier: null,
    inference_geo: null,
    speed: null,
  }
}

export function chatUsage(counts: Counts): Json {
  const prompt = input(counts)
  return {
    prompt_tokens: prompt,
    completion_tokens: counts.output ?? 0,
    total_tokens: prompt + (counts.output ?? 0),
    prompt_tokens_details: inputDetails(counts),
    completion_tokens_details: { reasoning_tokens: counts.reasoning ?? 0 },
  }
}

export function responsesUsage(counts: Counts): Json {
  const all = input(counts)
  return {
    input_tokens: all,
    input_tokens_details: inputDetails(counts),
    output_tokens: counts.output ?? 0,
    output_tokens_details: { reasoning_tokens: counts.reasoning ?? 0 },
    total_tokens: all + (counts.output ?? 0),
  }
}

/** Gemini counts thoughts beside the candidates, and has no place for what was written to a cache. */
export function geminiUsage(counts: Counts): Json {
  const prompt = input(counts)
  const thoughts = counts.reasoning ?? 0
  return {
    promptTokenCount: prompt,
    candidatesTokenCount: Math.max(0, (counts.output ?? 0) - thoughts),
    totalTokenCount: prompt + (counts.output ?? 0),
    ...(counts.cache_read ? { cachedContentTokenCount: counts.cache_read } : {}),
    ...(thoughts > 0 ? { thoughtsTokenCount: thoughts } : {}),
  }
}

function inputDetails({ cache_read, cache_write }: Counts): Json {
  return {
    cached_tokens: cache_read ?? 0,
    ...(cache_write ? { cache_write_tokens: cache_write } : {}),
  }
}
