import type { Classes } from '#capture'
import { sensitivityOf } from '../classify/rules/sensitivity.ts'
import { classifyByRules } from '../classify/rules.ts'
import { type Subject, subjectOf } from '../classify/subject.ts'
import { decompress } from '../decompress.ts'
import { dialectNamed } from '../dialects/dialects.ts'
import { parseBody, readableBytes } from '../dialects/json.ts'
import { sensitivities } from './route.ts'

/** What is known of a call's content. */
export type Fact = {
  /** Several for a stack; none where nobody knows. */
  values: readonly string[]
  /** Who says so: the client, in a header; local rules, by the words of the request; both; null: nobody. */
  by: 'header' | 'rules' | 'both' | null
}

/**
 * By the name of a class, or `sensitivity`. Undefined: not looked at yet.
 * @param guards The rule that asks has a policy: a client may then claim a class, not deny one.
 */
export type Facts = (name: string, guards?: boolean) => Fact | undefined

/** Who a call comes from, as far as its content is concerned. */
export type Saying = {
  headers: Headers
  /** Has it the scope `label`, so that its word counts whatever the request looks like? */
  trusted: boolean
}

const unknown: Fact = { values: [], by: null }

/**
 * What the client itself says, as in `sluice-class: task_type=debugging` and `sluice-sensitivity: internal`, where
 * that is the last word.
 */
export function saidFacts(saying: Saying): Facts {
  return (name, guards = false) => {
    const own = said(saying.headers, name)
    return own !== undefined && settles(own, name, { guards, ...saying }) ? own : undefined
  }
}

/**
 * The client's word, and what local rules find in the request. It is read when somebody asks, once: the sensitivity
 * of 75 KB takes 0.7 ms, all classes twice that.
 *
 * A client may call its request more sensitive than it looks, never less, and may say what it is about, but not keep
 * it from a rule with a policy that way: what it says there is added to what is found. With the scope `label` its
 * word is the last one.
 */
export function factsOf(
  saying: Saying,
  { dialect, path, body }: { dialect: string | null; path: string; body: Uint8Array | null },
): Facts {
  let subject: Subject | null | undefined
  let classes: Classes | null = null

  return (name, guards = false) => {
    const own = said(saying.headers, name)
    if (own !== undefined && settles(own, name, { guards, ...saying })) return own
    const seen = look(name)
    if (own === undefined) return seen
    if (name !== 'sensitivity') return both(own, seen)
    return seen.values.length === 0 ? unread(own) : higher(own, seen)
  }

  function look(name: string): Fact {
    if (subject === undefined) {
      subject = subjectOfCall(body, { dialect, path, encoding: saying.headers.get('content-encoding') })
    }
    if (subject === null) return unknown
    if (name === 'sensitivity') return { values: [sensitivityOf(subject.all)], by: 'rules' }
    classes ??= classifyByRules(subject)
    return found(classes, name)
  }
}

/** Is what the client says the last word on it? */
function settles(own: Fact, name: string, { guards, trusted }: Saying & { guards: boolean }): boolean {
  if (trusted) return true
  return name === 'sensitivity' ? rankOf(own) === sensitivities.length - 1 : !guards
}

function higher(own: Fact, seen: Fact): Fact {
  return rankOf(own) > rankOf(seen) ? own : seen
}

/** What nobody can read may be critical: a word makes it no less, but finds the rules for what is sensitive. */
function unread(own: Fact): Fact {
  return rankOf(own) < sensitivities.indexOf('sensitive')
    ? unknown
    : { values: ['critical', ...own.values], by: 'both' }
}

function rankOf({ values }: Fact): number {
  return sensitivities.indexOf(values[0] as (typeof sensitivities)[number])
}

function both(own: Fact, seen: Fact): Fact {
  if (seen.values.length === 0) return own
  return { values: [...new Set([...own.values, ...seen.values])], by: 'both' }
}

function said(headers: Headers, name: string): Fact | undefined {
  if (name === 'sensitivity') {
    // A slip of the pen must not open a door.
    const word = headers.get('sluice-sensitivity')?.trim().toLowerCase() ?? ''
    return sensitivities.some((one) => one === word) ? { values: [word], by: 'header' } : undefined
  }
  const text = headers.get('sluice-class')
  if (text === null) return undefined
  const pairs = text.split(',').map((pair) => pair.split('=').map((word) => word.trim()))
  const values = pairs.flatMap(([key, value]) => (key === name && value ? [value] : []))
  return values.length === 0 ? undefined : { values, by: 'header' }
}

function found(classes: Classes, name: string): Fact {
  if (!Object.hasOwn(classes, name)) return unknown
  const value = classes[name as keyof Classes]
  return { values: value === null ? [] : [value].flat(), by: 'rules' }
}

/** Null where the request cannot be read. */
function subjectOfCall(
  body: Uint8Array | null,
  { dialect, path, encoding }: { dialect: string | null; path: string; encoding: string | null },
): Subject | null {
  const plain = body === null ? null : decompress(body, encoding, readableBytes)
  const reader = dialectNamed(dialect)
  if (plain === null || reader === null) return null
  const { history } = reader.readRequest(plain, path)
  if (history.length > 0) return subjectOf({ history, reply: null })
  // What is embedded is no conversation: there the words count as they stand.
  const raw = parseBody(plain)
  if (raw === null) return null
  return subjectOf({ history: [{ role: 'user', text: strings(raw).join('\n'), digest: '' }], reply: null })
}

/** All that is said anywhere in it. */
function strings(body: unknown): string[] {
  const found: string[] = []
  const rest: unknown[] = [body]
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (typeof next === 'string') found.push(next)
    else if (typeof next === 'object' && next !== null)
      for (const value of Object.values(next).reverse()) rest.push(value)
  }
  return found
}
