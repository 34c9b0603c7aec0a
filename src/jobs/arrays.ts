import { cleanText } from '#lib/errors'

/** Values as the text of a Postgres array: one parameter a column, whatever the number of rows. */
export function arrayOf(values: readonly (string | number | boolean | null)[]): string {
  return `{${values.map(element).join(',')}}`
}

function element(value: string | number | boolean | null): string {
  if (value === null) return 'NULL'
  return typeof value === 'string' ? quoted(value) : String(value)
}

/** One look at most texts, which need nothing done. */
const special = /[\\"\0\ud800-\udfff]/

function quoted(text: string): string {
  return special.test(text) ? `"${cleanText(text).replace(/[\\"]/g, '\\$&')}"` : `"${text}"`
}
