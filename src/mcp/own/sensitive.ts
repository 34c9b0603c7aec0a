import { isJson } from '../wire/frame.ts'
import type { RawJson } from '../wire/message.ts'
import { memberOf, stringOf } from '../wire/raw-json.ts'

/** Does a request carry a secret in its arguments? Then its content must not be recorded. */
export function holdsSecret(method: string, params: RawJson, sensitive: ReadonlySet<string>): boolean {
  if (method !== 'tools/call') return false
  const name = stringOf(params, 'name')
  if (name === null) return namesOne(params, sensitive)
  if (name !== 'call_tool') return sensitive.has(name)
  const inner = memberOf(params, 'arguments') ?? '{}'
  const called = stringOf(inner, 'name')
  return called === null ? namesOne(inner, sensitive) : sensitive.has(called)
}

/**
 * May what is no message carry one? It does where it names such a tool, and may where it breaks off with arguments
 * in it: the name may be what is missing.
 */
export function mayHoldSecret(text: string, sensitive: ReadonlySet<string>): boolean {
  return namesOne(text, sensitive) || (unescaped(text).includes('arguments') && !isJson(text))
}

function namesOne(text: string, sensitive: ReadonlySet<string>): boolean {
  const plain = unescaped(text)
  return [...sensitive].some((name) => plain.includes(name))
}

/** JSON may write any character as `\u0066`. */
function unescaped(text: string): string {
  return text.replaceAll(/\\u([0-9a-f]{4})/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  )
}
