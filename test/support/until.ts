/**
 * Resolves when the condition holds: looked at every few milliseconds.
 * @param patience in ms. @default 10_000
 * @throws Error naming what was waited for
 */
export async function until(
  what: string,
  condition: () => unknown,
  patience: number | { ms?: number } = {},
): Promise<void> {
  const { ms = 10_000 } = typeof patience === 'number' ? { ms: patience } : patience
  const deadline = Date.now() + ms
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${ms} ms in vain: ${what}`)
    await Bun.sleep(5) // the one loop of all tests that polls
  }
}
