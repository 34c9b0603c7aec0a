import { SluiceError } from '#lib/errors'
import type { ChatDialect } from './model.ts'

/**
 * What happens to what a target cannot carry. `refuse`: the call would mean something else without it, so it
 * is a 400. `drop`: it goes on without, and a warning names it. `adapt`: it is said in another way, and a
 * warning says how. Nothing is lost without a line of this table.
 */
type Rule = { does: 'refuse' | 'drop' | 'adapt'; what: string }

const refuse = (what: string): Rule => ({ does: 'refuse', what })
const drop = (what: string): Rule => ({ does: 'drop', what })
const adapt = (what: string): Rule => ({ does: 'adapt', what })

export const rules = {
  // Conversation
  'audio-input': refuse('audio input'),
  'file-id': refuse('a file or image by the id of an upload, which only its own provider knows'),
  'document-type': refuse('a document of this type'),
  'document-url': refuse('a document by URL'),
  'image-url': refuse('an image by a URL that is not http(s)'),
  'image-type': refuse('an image of this type'),
  'unknown-part': refuse('content of this type'),
  'stored-state': refuse('conversation state kept at another provider'),
  'audio-output': refuse('audio output'),
  'image-output': refuse('image output'),
  'several-answers': refuse('several answers to one request'),
  background: refuse('background mode'),
  'legacy-functions': refuse('functions and function_call; tools and tool_choice say the same'),
  'invalid-schema': refuse('a tool whose parameters are not a JSON schema of type object'),
  'forced-server-tool': refuse('a forced call of a tool that runs at another provider'),
  'count-tokens': refuse('counting tokens'),
  embeddings: refuse('embeddings'),
  'system-late': adapt('a system message in mid-conversation, sent as text of the user in <system> tags'),
  'result-image': adapt(
    'images and documents in the result of a tool, sent in a message of the user after it',
  ),
  'result-error': drop('the mark that a result of a tool is an error'),
  'foreign-thinking': drop('thinking that another provider signed or wrote'),
  'unsigned-thinking': drop('thinking without its signature'),
  'cache-control': drop('cache_control'),
  citations: drop('citations'),
  'image-detail': drop('the detail of an image'),
  'document-title': drop('the title or context of a document'),
  'speaker-name': drop("a message's name"),
  refusal: adapt('an earlier refusal, sent as text of the assistant'),
  'broken-arguments': adapt('arguments of a call that are no JSON object, sent as {"input": text}'),
  'server-history': drop('calls and results of tools that ran at another provider'),
  'answer-part': drop('a part of the answer that the client has no place for'),
  // Tools
  'server-tool': drop('a tool that runs at another provider'),
  'custom-tool': adapt('a tool that takes free text, sent as a function with one string'),
  'tool-name': adapt('names of tools that are too long or have other characters, shortened'),
  'tool-examples': drop('examples or loading options of a tool'),
  'strict-tool': drop('strict schemas of tools'),
  'tools-among': adapt('a choice among some tools, sent as these tools only'),
  'parallel-calls': drop('the limit to one call of a tool at a time'),
  'forced-thinking': drop('thinking, because a call of a tool is forced'),
  // Parameters
  'top-k': drop('top_k'),
  'top-p': drop('top_p'),
  temperature: drop('temperature'),
  'temperature-range': adapt('temperature, reduced to the highest that it takes'),
  seed: drop('seed'),
  penalties: drop('frequency_penalty and presence_penalty'),
  logprobs: drop('log probabilities'),
  'logit-bias': drop('logit_bias'),
  stop: drop('stop sequences'),
  'stop-many': adapt('stop sequences, of which only the first go'),
  'max-tokens-default': adapt('max_tokens, which is required'),
  'thinking-unknown': drop('thinking, which the model does not have'),
  'thinking-small': drop('thinking, because max_tokens leaves no room for it'),
  'thinking-history': drop('thinking, because the open call of a tool came without its signed thinking'),
  'thinking-off': adapt('no thinking, sent as the least effort, because the model always thinks'),
  'json-mode': adapt('JSON mode without a schema, sent as an instruction'),
  'schema-adapted': adapt('parts of a schema that it does not check, moved into descriptions'),
  user: drop('the name of the end user'),
  metadata: drop('metadata'),
  storing: drop('storing at the provider'),
  'service-tier': drop('the service tier'),
  'cache-options': drop('options of the prompt cache'),
  verbosity: drop('verbosity'),
  prediction: drop('predicted output'),
  moderation: drop('moderation and safety settings'),
  truncation: drop('automatic truncation or context management'),
  region: drop('the region of inference'),
  container: drop('a container or its skills'),
  diagnostics: drop('diagnostics'),
  include: drop('additional output in include'),
  'tool-limit': drop('the limit of calls of tools'),
  'media-settings': drop('settings of media'),
  labels: drop('labels'),
  'beta-header': drop('beta features asked for in headers'),
  'unknown-field': drop('a field that Sluice does not know'),
  'embedding-task': drop('the task or title of an embedding'),
  'embedding-input': refuse('embeddings of tokens or of anything but text'),
  'embedding-usage': adapt('usage of embeddings, which the provider does not count: zeros'),
} satisfies Record<string, Rule>

export type Feature = keyof typeof rules

const names: Record<string, string> = {
  anthropic: 'Anthropic Messages',
  'openai-chat': 'OpenAI Chat Completions',
  'openai-responses': 'OpenAI Responses',
  'openai-embeddings': 'OpenAI Embeddings',
  gemini: 'Gemini',
}

/** Collects what one translation loses. */
export type Losses = {
  /** Applies the rule. @throws SluiceError 400 where the rule is to refuse. */
  lose(feature: Feature, detail?: string): void
  /** Refuses, whatever the rule, where the call would mean something else. */
  refuse(feature: Feature, detail?: string): never
  warnings(): string[]
  /** From here on it is this dialect that has no place for things: an answer goes the other way. */
  towards(dialect: ChatDialect): void
}

export function losses(target: ChatDialect | 'openai-embeddings'): Losses {
  const found = new Set<string>()
  let name = names[target] ?? target

  function refuse(feature: Feature, detail?: string): never {
    const { what } = rules[feature]
    throw new SluiceError(
      400,
      'unsupported-feature',
      `The request cannot be sent to ${name}, which has no place for it: ${feature}: ${what}${more(detail)}`,
    )
  }

  return {
    lose(feature, detail) {
      const { does, what } = rules[feature]
      if (does === 'refuse') refuse(feature, detail)
      found.add(`${feature}: ${does === 'drop' ? 'dropped' : 'adapted'} for ${name}: ${what}${more(detail)}`)
    },
    refuse,
    warnings: () => [...found],
    towards(dialect) {
      name = names[dialect] ?? dialect
    },
  }
}

/** Details come from the client: bounded, and fit for a header. */
function more(detail: string | undefined): string {
  if (detail === undefined) return ''
  return ` (${detail.replace(/[^\x20-\x7e]/g, '?').slice(0, 120)})`
}
