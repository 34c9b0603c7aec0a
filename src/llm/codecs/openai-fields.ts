import type { Json } from '../dialects/json.ts'
import type { Feature, Losses } from './rules.ts'

/** Fields of both OpenAI dialects, and what their loss means elsewhere. */
const shared: Record<string, Feature> = {
  metadata: 'metadata',
  store: 'storing',
  service_tier: 'service-tier',
  prompt_cache_key: 'cache-options',
  prompt_cache_retention: 'cache-options',
  prompt_cache_options: 'cache-options',
  safety_identifier: 'user',
  verbosity: 'verbosity',
  moderation: 'moderation',
  top_logprobs: 'logprobs',
}

/** What the other of OpenAI's dialects takes as it is. */
export function sharedFields(body: Json): Json {
  const found: Json = {}
  for (const name in shared) if (body[name] !== undefined && body[name] !== null) found[name] = body[name]
  return found
}

/** Without weight where they ask for nothing more than the default. */
export function loseOpenai(fields: Json, losses: Losses): void {
  for (const [name, value] of Object.entries(fields)) {
    const feature = shared[name]
    const light = value === false || value === 'auto' || value === 'default' || value === 0
    if (feature !== undefined && !light) losses.lose(feature, name)
  }
}
