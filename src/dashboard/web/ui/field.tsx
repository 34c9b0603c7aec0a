import { createContext, type ReactNode, useContext, useId } from 'react'
import { ApiError } from '../data/client.ts'

/** Of a form that was refused: by the names of its fields, and what is about none of them. */
export type WrongFields = { fields: ReadonlyMap<string, string>; other: readonly string[] }

export const noneWrong: WrongFields = { fields: new Map(), other: [] }
export const Wrong = createContext<WrongFields>(noneWrong)

type Control = { id: string; name: string; 'aria-invalid'?: true; 'aria-describedby'?: string }

type FieldProps = {
  label: string
  /** As the pointer into the body, without the first slash: `job/input`. */
  name: string
  hint?: ReactNode
  children: (control: Control) => ReactNode
}

export function Field({ label, name, hint, children }: FieldProps) {
  const wrong = useContext(Wrong).fields.get(name)
  const id = useId()
  const about = `${id}-about`
  const described = wrong !== undefined || hint !== undefined ? { 'aria-describedby': about } : {}
  const invalid = wrong === undefined ? {} : { 'aria-invalid': true as const }
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, name, ...described, ...invalid })}
      {wrong !== undefined && (
        <p id={about} className="wrong">
          {wrong}
        </p>
      )}
      {wrong === undefined && hint !== undefined && (
        <div id={about} className="hint">
          {hint}
        </div>
      )}
    </div>
  )
}

/** Each thing that is wrong goes to the field that it is in: `/job/input/path` to `job/input`, with the rest of its way. */
export function wrongFields(error: unknown, names: readonly string[]): WrongFields {
  const fields = new Map<string, string>()
  const other: string[] = []
  const told = error instanceof ApiError ? error.errors : []
  for (const { pointer, detail } of told) {
    const name = names
      .filter((one) => pointer === `/${one}` || pointer.startsWith(`/${one}/`))
      .sort((a, b) => b.length - a.length)[0]
    if (name === undefined) {
      other.push(pointer === '' ? detail : `${pointer}: ${detail}`)
      continue
    }
    const rest = pointer.slice(name.length + 2)
    const text = rest === '' ? detail : `${rest}: ${detail}`
    const before = fields.get(name)
    fields.set(name, before === undefined ? text : `${before}; ${text}`)
  }
  if (told.length === 0) other.push(error instanceof Error ? error.message : String(error))
  return { fields, other }
}
