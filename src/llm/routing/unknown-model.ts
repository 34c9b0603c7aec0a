import { SluiceError } from '#lib/errors'

/** 404, with the names that are nearest to what was asked for. */
export function unknownModel(asked: string | null, names: readonly string[]): SluiceError {
  const near = asked === null ? [] : nearest(asked, names)
  const hint = near.length === 0 ? '' : `. Near to it are: ${near.join(', ')}`
  const what =
    asked === null
      ? 'The request names no model'
      : `There is no model ${JSON.stringify(asked.slice(0, 100))} here`
  return new SluiceError(404, 'unknown-model', what + hint)
}

/** Up to five names: those that contain it first, then those that few changes make of it. */
export function nearest(asked: string, names: readonly string[]): string[] {
  const wanted = asked.toLowerCase().slice(0, 100)
  return [...new Set(names)]
    .map((name) => ({ name, far: distance(wanted, name.toLowerCase()) }))
    .filter(({ name, far }) => far <= Math.max(2, wanted.length / 2) || name.toLowerCase().includes(wanted))
    .sort((a, b) => a.far - b.far || (a.name < b.name ? -1 : 1))
    .slice(0, 5)
    .map(({ name }) => name)
}

/** Characters added, dropped or changed. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
