import type { RawJson } from '../wire/message.ts'
import { memberOf, stringOf } from '../wire/raw-json.ts'

/** Does a request carry a secret in its arguments? Then its content must not be recorded. */
export function holdsSecret(method: string, params: RawJson, sensitive: ReadonlySet<string>): boolean {
  if (method !== 'tools/call') return false
  const name = stringOf(params, 'name')
  if (name === null) return false
  if (name !== 'call_tool') return sensitive.has(name)
  const inner = memberOf(params, 'arguments')
  return inner !== null && sensitive.has(stringOf(inner, 'name') ?? '')
}
