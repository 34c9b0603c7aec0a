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
  /** Who says so: the client, in a header; local rules, by the words of the request; null: nobody. */
  by: 'header' | 'rules' | null
}

/** By the name of a class, or `sensitivity`. Undefined: not looked at yet. */
export type Facts = (name: string) => Fact | undefined

const unknown: Fact = { values: [], by: null }

/** What the client itself says, as in `sluice-class: task_type=debugging` and `sluice-sensitivity: internal`. */
export function saidFacts(headers: Headers): Facts {
  return (name) => said(headers, name)
}

/**
 * The client's word, and where it gave none that counts, what local rules find in the request. It is read when
 * somebody asks, once: the sensitivity of 75 KB
 * takes 0.7 ms, all classes twice that.
 */
export function factsOf(
  headers: Headers,
  { dialect, path, body }: { dialect: string | null; path: string; body: Uint8Array | null },
): Facts {
  let subject: Subject | null | undefined
  let classes: Classes | null = null
  return (name) => {
    const own = said(headers, name)
    if (own !== undefined) return own
    if (subject === undefined) {
      subject = subjectOfCall(body, { dialect, path, encoding: headers.get('content-encoding') })
    }
    if (subject === null) return unknown
    if (name === 'sensitivity') return { values: [sensitivityOf(subject.all)], by: 'rules' }
    classes ??= classifyByRules(subject)
    return found(classes, name)
  }
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
