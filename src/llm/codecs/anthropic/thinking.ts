import type { Json } from '../../dialects/json.ts'
import type { Context } from '../codec.ts'
import { budgetFor, effortFor } from '../effort.ts'
import type { ModelRequest } from '../model.ts'
import { claudeFacts } from '../model-facts.ts'

/** The API refuses less. */
const leastBudget = 1_024

/** `thinking` and the effort of `output_config`, as the model takes them, and the `max_tokens` they need. */
export type ThinkingFields = { thinking?: Json; effort?: string; maxTokens: number }

export function writeThinkingFields(request: ModelRequest, context: Context): ThinkingFields {
  const facts = claudeFacts(request.model)
  if (request.maxTokens === null) context.lose('max-tokens-default', String(facts.maxTokens))
  const maxTokens = request.maxTokens ?? facts.maxTokens
  const { reasoning, toolChoice } = request
  if (reasoning === null || facts.thinking === 'none') return { maxTokens }
  const effort = effortFor(reasoning)
  if (effort === 'none') {
    if (facts.alwaysThinks) {
      context.lose('thinking-off')
      return { effort: 'low', maxTokens }
    }
    return facts.thinksUnasked ? { thinking: { type: 'disabled' }, maxTokens } : { maxTokens }
  }
  if (toolChoice?.kind === 'any' || toolChoice?.kind === 'tool') {
    context.lose('forced-thinking')
    return facts.thinksUnasked && !facts.alwaysThinks
      ? { thinking: { type: 'disabled' }, maxTokens }
      : { maxTokens }
  }
  if (facts.thinking === 'adaptive') {
    const thinking = { type: 'adaptive', ...(reasoning.visible ? { display: 'summarized' } : {}) }
    const word = effort === 'minimal' ? 'low' : effort
    return { thinking, ...(word === null ? {} : { effort: word }), maxTokens }
  }
  return budgeted(request, context, maxTokens)
}

function budgeted(request: ModelRequest, context: Context, maxTokens: number): ThinkingFields {
  const { reasoning } = request
  if (lacksThinking(request)) {
    context.lose('thinking-history')
    return { maxTokens }
  }
  const asked = reasoning === null ? null : budgetFor(reasoning)
  const budget = Math.max(leastBudget, asked === null || asked < 0 ? 8_192 : asked)
  // Without a limit of the client's own, the thinking comes on top of the answer.
  if (request.maxTokens === null) {
    return { thinking: { type: 'enabled', budget_tokens: budget }, maxTokens: budget + maxTokens }
  }
  const room = Math.floor(maxTokens * 0.8)
  if (room < leastBudget) {
    context.lose('thinking-small')
    return { maxTokens }
  }
  return { thinking: { type: 'enabled', budget_tokens: Math.min(budget, room) }, maxTokens }
}

/** With a budget, the API wants the thinking before an open call back, and refuses the request without it. */
function lacksThinking({ turns }: ModelRequest): boolean {
  const last = turns.at(-1)
  if (last?.role !== 'user' || !last.parts.some(({ kind }) => kind === 'result')) return false
  const before = turns.findLast(({ role }) => role === 'assistant')
  return !before?.parts.some((part) => part.kind === 'thinking' && part.seal?.by === 'anthropic')
}
