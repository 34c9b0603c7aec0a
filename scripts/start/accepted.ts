const patienceMs = 2_000
const everyMs = 20

/**
 * Waits until the gateway knows a key that was just made, so that whoever is shown it can use it at once. Gives up
 * after two seconds: the gateway learns of it in any case.
 */
export async function accepted(url: string, key: string): Promise<void> {
  const until = performance.now() + patienceMs
  while (performance.now() < until) {
    const answer = await fetch(`${url}/api/ledger`, { headers: { authorization: `Bearer ${key}` } }).catch(
      () => null,
    )
    await answer?.body?.cancel()
    if (answer !== null && answer.status !== 401) return
    await Bun.sleep(everyMs)
  }
}
