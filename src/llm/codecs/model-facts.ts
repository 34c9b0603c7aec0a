/**
 * What a model takes, by its name, where the API of one dialect differs from model to model. A name that is
 * not known gets what most servers of the dialect take. Vendors' prefixes (`openai/…`, `models/…`) are allowed.
 */

type Version = { family: string; version: number }

/** Null for what is not a Claude by its name, such as another model behind the same dialect. */
function claude(model: string): Version | null {
  const late = /claude-([a-z]+)-(\d+)(?:[-.](\d{1,2})(?!\d))?/.exec(model)
  if (late !== null) return { family: late[1] ?? '', version: versionOf(late[2], late[3]) }
  const early = /claude-(\d+)(?:[-.](\d))?-([a-z]+)/.exec(model)
  return early === null ? null : { family: early[3] ?? '', version: versionOf(early[1], early[2]) }
}

function versionOf(major = '0', minor = '0'): number {
  return Number(major) + Number(minor) / 100
}

export type ClaudeFacts = {
  /** `budget`: `thinking.budget_tokens`; `adaptive`: `output_config.effort` decides. */
  thinking: 'budget' | 'adaptive' | 'none'
  /** Does it refuse `thinking: disabled`? */
  alwaysThinks: boolean
  /** Does it think where the request says nothing? */
  thinksUnasked: boolean
  sampling: boolean
  /** Takes messages of role `system` after one of the user. */
  lateSystem: boolean
  /** Sent where a request has no `max_tokens`. */
  maxTokens: number
}

export function claudeFacts(model: string): ClaudeFacts {
  const known = claude(model)
  const { family, version } = known ?? { family: '', version: 0 }
  const isClaude = known !== null
  return {
    thinking: isClaude && version >= 4.06 ? 'adaptive' : !isClaude || version >= 3.07 ? 'budget' : 'none',
    alwaysThinks: family === 'fable' || family === 'mythos',
    thinksUnasked: version >= 5,
    sampling: !isClaude || version < 4.07,
    lateSystem: version >= 4.08,
    maxTokens: isClaude && version >= 4 ? 32_000 : isClaude && version < 3.05 ? 4_096 : 8_192,
  }
}

/** Other vendors' models behind a chat dialect refuse what only OpenAI's own API has. */
export function isOpenai(model: string): boolean {
  return /^(?:openai\/|ft:)?(?:gpt-|chatgpt|codex|o\d)/.test(model)
}

/** OpenAI's models that reason: they take `max_completion_tokens` and no other temperature than 1. */
export function isReasoningGpt(model: string): boolean {
  return /^(?:.*\/)?(?:o\d|gpt-(?:[5-9]|[12]\d)(?!\d)|codex)(?!.*chat)/.test(model)
}

/** A model of OpenAI's that does not reason refuses the question how much to. */
export function refusesReasoning(model: string): boolean {
  return isOpenai(model) && !isReasoningGpt(model)
}

/** GPT-5.6 and later charge for writes to the cache, and take explicit breakpoints. */
export function hasCacheBreakpoints(model: string): boolean {
  const [, major, minor] = /^(?:.*\/)?gpt-(\d+)(?:\.(\d+))?/.exec(model) ?? []
  return major !== undefined && (Number(major) > 5 || (Number(major) === 5 && Number(minor ?? 0) >= 6))
}

/** Models of Anthropic behind a chat dialect, as OpenRouter and LiteLLM name them, take its `cache_control`. */
export function takesCacheControl(model: string): boolean {
  return /(^|[/.])(anthropic|claude)/.test(model)
}

export type GeminiFacts = {
  /** Gemini 3 and later say a level, earlier ones a budget of tokens. */
  thinking: 'level' | 'budget'
  /** Wants a signature on the first call of each step of the current turn. */
  signedCalls: boolean
  /** Takes images inside the result of a function. */
  resultParts: boolean
  canStopThinking: boolean
}

export function geminiFacts(model: string): GeminiFacts {
  const [, major] = /gemini-(\d+)/.exec(model) ?? []
  const late = major !== undefined && Number(major) >= 3
  return {
    thinking: late ? 'level' : 'budget',
    signedCalls: late,
    resultParts: late,
    canStopThinking: !late && !/2\.5-pro/.test(model),
  }
}
