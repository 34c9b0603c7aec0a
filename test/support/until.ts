/**
 * Resolves when the condition holds: looked at every few milliseconds.
 * @throws Error naming what was waited for
 */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  { ms = 10_000 }: { ms?: number } = {},
): Promise<void> {
  const deadline = Date.now() + ms
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${ms} ms in vain: ${what}`)
    await Bun.sleep(5)
  }
}
