/**
 * By how many MiB the memory of this process grew in the flattest of some rounds: what leaks grows in each of them,
 * while what the allocator keeps for later comes and goes.
 */
export async function leastGrowth(round: () => Promise<void>, rounds = 3): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let done = 0; done < rounds; done += 1) {
    const before = process.memoryUsage.rss()
    await round()
    Bun.gc(true)
    least = Math.min(least, (process.memoryUsage.rss() - before) / 1_048_576)
  }
  return least
}
