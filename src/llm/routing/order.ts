export type Weighed = { weight: number; priority: number }

/**
 * The candidates in the order in which they are to be tried: priorities first; within one, drawn by weight, or the
 * least busy for its weight first, of equals the one that the draw brings.
 * @param busy calls under way at a candidate; null: draw by weight alone
 * @param random as `Math.random`
 */
export function inOrder<Candidate extends Weighed>(
  candidates: readonly Candidate[],
  { busy, random }: { busy: ((candidate: Candidate) => number) | null; random: () => number },
): Candidate[] {
  const [only] = candidates
  if (candidates.length === 1 && only !== undefined) return [only]
  return candidates
    .map((candidate) => ({
      candidate,
      load: busy === null ? 0 : busy(candidate) / candidate.weight,
      // Exponential with the weight as its rate: the smallest is the first of them with the weight's chance.
      draw: -Math.log(1 - random()) / candidate.weight,
    }))
    .sort((a, b) => a.candidate.priority - b.candidate.priority || a.load - b.load || a.draw - b.draw)
    .map(({ candidate }) => candidate)
}
