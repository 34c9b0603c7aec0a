import { openEventStream } from '../upstream/http/event-stream.ts'

/** Longer than any gateway is silent on a stream that lives. */
const longestSilenceMs = 60_000

export type ReadStream = {
  /** False ends the reading: what was waited for is there. */
  onEvent(data: string): boolean
  /** Called with the id of the last event, as it changes. */
  onId?(id: string): void
  /** @default 60_000 */
  silenceMs?: number
}

/**
 * Reads a stream of events until it ends, breaks, falls silent for long, or enough was read. Never rejects.
 * @returns why it ended: `enough`, or `over`
 */
export async function readStream(response: Response, on: ReadStream): Promise<'enough' | 'over'> {
  const { onEvent, onId, silenceMs = longestSilenceMs } = on
  let enough = false
  let id: string | null = null
  const events = openEventStream(
    {
      event: ({ data }) => {
        if (!enough) enough = !onEvent(data)
      },
      oversized: () => {},
    },
    () => Number.POSITIVE_INFINITY,
  )
  const reader = response.body?.getReader()
  if (reader === undefined) return 'over'
  let silence: Timer | undefined
  try {
    while (!enough) {
      silence = setTimeout(() => void reader.cancel().catch(() => {}), silenceMs)
      const { done, value } = await reader.read()
      clearTimeout(silence)
      if (done) break
      events.push(value)
      const seen = events.lastId()
      if (seen !== null && seen !== id) onId?.(seen)
      id = seen
    }
  } catch {
    // Broken off: who reads goes on where it ended.
  } finally {
    clearTimeout(silence)
    void reader.cancel().catch(() => {})
  }
  return enough ? 'enough' : 'over'
}
