import { waitAfter } from '../upstream/backoff.ts'
import { pause } from './deliver.ts'
import type { Gateway } from './gateway.ts'
import { readStream } from './read-stream.ts'
import type { RelaySession } from './session.ts'

const waits = { baseMs: 200, mostMs: 5_000 }

/** The stream on which a legacy session hears what it did not ask for: opened again for ever, until told to end. */
export async function hear(
  { gateway, session, pass }: { gateway: Gateway; session: RelaySession; pass: (frame: string) => void },
  signal: AbortSignal,
): Promise<void> {
  let lastId: string | null = null
  for (let failures = 0; !signal.aborted; ) {
    const headers = session.headers()
    try {
      const response = await gateway.listen(
        { ...headers, ...(lastId === null ? {} : { 'last-event-id': lastId }) },
        signal,
      )
      if (response.ok) failures = 0
      else await response.body?.cancel()
      // Such a server says nothing by itself.
      if (response.status === 405) return
      if (response.status === 404) {
        lastId = null
        await session.renew(headers, signal)
      } else if (response.status === 400) lastId = null
      if (response.ok) {
        await readStream(response, {
          onEvent(data) {
            if (!signal.aborted) pass(data)
            return !signal.aborted
          },
          onId(id) {
            lastId = id
          },
        })
      }
    } catch {
      // It is tried again.
    }
    await pause(waitAfter(failures, waits), signal)
    failures += 1
  }
}
