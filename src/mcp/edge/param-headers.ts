import { codes, rpcError } from '../wire/codes.ts'
import { headerValue } from '../wire/header-value.ts'
import type { RawJson } from '../wire/message.ts'
import { memberOf } from '../wire/raw-json.ts'
import { Refusal } from './refusal.ts'

/**
 * Arguments that a tool wants to see repeated in `Mcp-Param-*` headers must be there, and be the same.
 * @throws Refusal 400 with HeaderMismatch
 */
export function checkParamHeaders(
  headers: Headers,
  given: RawJson,
  params: readonly { path: string[]; header: string }[],
): void {
  for (const { path, header } of params) {
    const name = `Mcp-Param-${header}`
    const value = argumentText(given, path)
    const sent = headers.get(name)
    if (value === null) continue
    if (sent === null) throw mismatch(`${name} is missing, though the argument is there`)
    const decoded = headerValue(sent)
    if (decoded === null) throw mismatch(`${name} is no valid Base64`)
    const same = decoded === value || (/^-?\d/.test(value) && Number(decoded) === Number(value))
    if (!same) throw mismatch(`${name} is not what the argument is`)
  }
}

/** As it stands in a header; null where there is none. */
function argumentText(given: RawJson, path: readonly string[]): string | null {
  let raw: RawJson | null = given
  for (const name of path) raw = raw === null ? null : memberOf(raw, name)
  if (raw === null || raw === 'null') return null
  return raw.startsWith('"') ? String(JSON.parse(raw)) : raw
}

function mismatch(what: string): Refusal {
  return new Refusal(400, rpcError(codes.headerMismatch, `Header mismatch: ${what}`))
}
