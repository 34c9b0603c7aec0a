/** Sends a statement without waiting for it. */
export type Send = (statement: Promise<unknown>) => void

/**
 * Runs work that sends statements one after another, and waits for all of them at its end: one round trip, while
 * which the database works and so does this process. Whatever happens, nothing is under way when this settles, so
 * that a transaction can end.
 * @throws what the work throws, or the first statement that failed
 */
export async function pipelined<Result>(work: (send: Send) => Promise<Result>): Promise<Result> {
  const under: Promise<unknown>[] = []
  try {
    const result = await work((statement) => {
      statement.catch(() => {})
      under.push(statement)
    })
    await Promise.all(under)
    return result
  } finally {
    await Promise.allSettled(under)
  }
}

/** As `Promise.all` of statements that were sent together, but nothing is under way when it settles. */
export async function together<First, Second>(
  first: Promise<First>,
  second: Promise<Second>,
): Promise<[First, Second]> {
  await Promise.allSettled([first, second])
  return await Promise.all([first, second])
}
