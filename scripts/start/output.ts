const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

export type Output = {
  /** What a person should read, on standard output. */
  say(text: string): void
  /** What happens meanwhile, on standard error, so that standard output can be parsed. */
  note(text: string): void
  /** A child's log line: passed on unless it is below the operator's level. */
  log(line: string): void
  /** The level that children must have for the supervisor to see their `ready` lines. */
  childLevel: string
}

export function openOutput(level: string): Output {
  const lowest = levels.indexOf(level)
  return {
    say: (text) => console.log(text),
    note: (text) => console.error(`sluice: ${text}`),
    log(line) {
      const lineLevel = logLevel(line)
      if (lineLevel === null || levels.indexOf(lineLevel) >= lowest) console.log(line)
    },
    childLevel: lowest > levels.indexOf('info') ? 'info' : level,
  }
}

export function parseLog(line: string): Record<string, unknown> | null {
  if (!line.startsWith('{')) return null
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}

/** Without parsing: the level comes first on every line of ours. */
function logLevel(line: string): string | null {
  return /^\{"level":"([a-z]+)"/.exec(line)?.[1] ?? null
}
