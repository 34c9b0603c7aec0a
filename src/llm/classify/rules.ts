import type { Classes } from '#capture'
import { domainOf } from './rules/domain.ts'
import { languageOf } from './rules/language.ts'
import { sensitivityOf } from './rules/sensitivity.ts'
import { stackOf } from './rules/stack.ts'
import { taskOf } from './rules/task.ts'
import type { Subject } from './subject.ts'

/**
 * What an exchange was about, by rules alone: the same answer for the same words, without asking anybody. Rough
 * where words are ambiguous; for secrets and personal data rather too strict than too mild.
 */
export function classifyByRules(subject: Subject): Classes {
  const { first, last, reply, all } = subject
  const near = `${last}\n${reply}\n${first}`
  const language = languageOf(near) ?? languageOf(all)
  const { stack, domains } = stackOf(near)
  return {
    task_type: taskOf(subject, language),
    complexity: complexityOf(subject),
    language,
    stack,
    domain: domainOf(near, domains),
    sensitivity: sensitivityOf(all),
  }
}

/** By how much was said and done, which is what it takes a model: characters, messages, tools. */
function complexityOf({ last, reply, length, messages, toolResults }: Subject): Classes['complexity'] {
  const points =
    (last.length > 600 ? 1 : 0) +
    (last.length > 4_000 ? 1 : 0) +
    (reply.length > 1_500 ? 1 : 0) +
    (reply.length > 6_000 ? 1 : 0) +
    (messages > 8 ? 1 : 0) +
    (length > 40_000 ? 1 : 0) +
    (toolResults > 2 ? 1 : 0) +
    (/\b(?:architecture|distributed|concurren\w+|race condition|migrat\w+|across (?:all|the)|optimi[sz]e|prove)\b/i.test(
      last,
    )
      ? 1
      : 0)
  return points === 0 ? 'low' : points <= 2 ? 'medium' : 'high'
}
