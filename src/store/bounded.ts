/** Rows of one statement that removes what is old. */
export const atOnce = 2_000

/**
 * Repeats a statement that removes at most `atOnce` rows until nothing is left for it: so nobody waits long for a
 * lock, and vacuum keeps up.
 * @returns how many were removed
 */
export async function inSteps(step: () => Promise<number>): Promise<number> {
  let sum = 0
  for (;;) {
    const count = await step()
    sum += count
    if (count < atOnce) return sum
  }
}
