/** In ms: of what must come, but on a slow and loaded machine late. Only what fails waits so long. */
const patienceMs = 30_000

/**
 * Resolves when the condition holds: looked at every few milliseconds, the last time after the patience is over, so
 * that a machine that stood still meanwhile fails nothing.
 * @param patience in ms. @default 30_000
 * @throws Error naming what was waited for
 */
export async function until(
  what: string,
  condition: () => unknown,
  patience: number | { ms?: number } = {},
): Promise<void> {
  const { ms = patienceMs } = typeof patience === 'number' ? { ms: patience } : patience
  // Not of the clock, which tests set.
  const deadline = performance.now() + ms
  for (;;) {
    const isLast = performance.now() > deadline
    if (await condition()) return
    if (isLast) throw new Error(`waited ${ms} ms in vain: ${what}`)
    await Bun.sleep(5) // the one loop of all tests that polls
  }
}
