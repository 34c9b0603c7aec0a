const mostTries = 5

/**
 * Holds that the work takes less than so many ms, and returns what it gave. What a busy machine held up is done once
 * more, up to five times: the question is how long it takes, not how busy the others are.
 * @throws Error naming the work, with what each try took
 */
export async function promptly<Result>(
  what: string,
  limitMs: number,
  work: () => Promise<Result> | Result,
): Promise<Result> {
  const took: number[] = []
  while (took.length < mostTries) {
    const from = performance.now()
    const result = await work()
    took.push(Math.round(performance.now() - from))
    if ((took.at(-1) ?? limitMs) < limitMs) return result
  }
  throw new Error(`${what}: ${limitMs} ms at most, but it took ${took.join(', ')} ms`)
}
