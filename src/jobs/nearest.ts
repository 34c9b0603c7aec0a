/** Of these names the few that differ least from a misspelt one, and by no more than a third of it. */
export function nearest(word: string, names: readonly string[]): string[] {
  const asked = word.toLowerCase().slice(0, 64).replaceAll('_', '-')
  const most = Math.max(1, Math.floor(asked.length / 3))
  return names
    .map((name) => ({ name, distance: asked !== '' && name.startsWith(asked) ? 0 : distance(asked, name) }))
    .filter((one) => one.distance <= most)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name)
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (letter === b[j - 1] ? 0 : 1)
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
