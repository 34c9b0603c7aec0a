export type Tally = {
  /** Takes one line of what `bun test` says; its last summary counts. */
  read(line: string): void
  passed(): number
  failed(): number
}

/** Reads the counts that `bun test` ends with: `12 pass`, `1 fail`, `1 error` (outside any test: a failure, too). */
export function openTally(): Tally {
  const counts = new Map<string, number>()
  return {
    read(line) {
      const match = /^ *(\d+) (pass|fail|error)s?$/.exec(Bun.stripANSI(line))
      if (match?.[1] && match[2]) counts.set(match[2], Number(match[1]))
    },
    passed: () => counts.get('pass') ?? 0,
    failed: () => (counts.get('fail') ?? 0) + (counts.get('error') ?? 0),
  }
}
