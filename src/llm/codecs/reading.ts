import { SluiceError } from '#lib/errors'
import { type Json, object } from '../dialects/json.ts'
import type { Feature, Losses } from './rules.ts'

/** @throws SluiceError 400 in words for what must be understood and is not what it must be. */
export function invalid(what: string): never {
  throw new SluiceError(400, 'invalid-request', `Cannot read the request: ${what}`)
}

export function requiredObject(value: unknown, where: string): Json {
  return object(value) ?? invalid(`${where} must be an object`)
}

export function requiredList(value: unknown, where: string): Json[] {
  if (!Array.isArray(value)) invalid(`${where} must be a list`)
  return value.map((item, index) => requiredObject(item, `${where}[${index}]`))
}

export function requiredWord(value: unknown, where: string): string {
  if (typeof value !== 'string' || value === '') invalid(`${where} must be text`)
  return value
}

export function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

export function boolean(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** What a reader does with each field of a body: it reads it, or the rule says what its loss means. */
export type Fields = Record<string, 'read' | Feature>

/** Names everything in a body that no codec reads. Values that ask for nothing are passed over. */
export function loseUnread(body: Json, fields: Fields, losses: Losses): void {
  for (const [name, value] of Object.entries(body)) {
    const does = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (does === 'read' || asksNothing(value)) continue
    losses.lose(does ?? 'unknown-field', does === undefined ? name : undefined)
  }
}

function asksNothing(value: unknown): boolean {
  if (value === null || value === undefined || value === false) return true
  if (value === 'auto' || value === 'default' || value === 'disabled' || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

/** JSON text of an object; `{}` where there is none. */
export function inputText(input: unknown): string {
  return input === undefined || input === null ? '{}' : JSON.stringify(input)
}

/** The object in a call's arguments, for dialects that carry an object. Empty text means no arguments. */
export function inputObject(input: string, losses: Losses | null): Json {
  if (input.trim() === '') return {}
  try {
    const parsed = object(JSON.parse(input))
    if (parsed !== null) return parsed
  } catch {}
  losses?.lose('broken-arguments')
  return { input }
}
