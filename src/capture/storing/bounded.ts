import type { Usage } from '../exchange.ts'
import type { Interpretation } from '../interpretation.ts'

/** An index entry has at most 2,700 bytes. */
const longestName = 256

/** What a client or a model's provider named, as far as an index takes it. */
export function bounded(means: Interpretation): Interpretation {
  const { usage, session, cost } = means
  return {
    ...means,
    model_asked: clipped(means.model_asked),
    model_served: clipped(means.model_served),
    error: clipped(means.error),
    usage: usage === null ? null : whole(usage),
    cost: cost !== null && Number.isSafeInteger(cost.micros) ? cost : null,
    session: session === null || session.session === '' ? null : session,
  }
}

export function clipped<Text extends string | null>(text: Text): Text {
  return (text === null ? null : text.slice(0, longestName)) as Text
}

/** Counts that are not counts are not known. */
function whole(usage: Usage): Usage {
  const count = (value: number | null) => (Number.isSafeInteger(value) ? value : null)
  return {
    input: count(usage.input),
    output: count(usage.output),
    cache_read: count(usage.cache_read),
    cache_write: count(usage.cache_write),
    cache_write_1h: count(usage.cache_write_1h),
    reasoning: count(usage.reasoning),
    final: usage.final,
  }
}
