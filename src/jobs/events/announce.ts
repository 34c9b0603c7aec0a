import type { Sql } from 'postgres'

/** Something may run: feeders look at once. */
export const dueChannel = 'jobs_due'
/** These jobs have changed; ids with spaces between. */
export const changedChannel = 'jobs_changed'
/** This job is to stop, wherever it runs. */
export const cancelChannel = 'jobs_cancel'

/**
 * Tells other processes. Always after the commit, in a transaction that writes nothing: a NOTIFY in one that does
 * would have all such commits wait for each other. What is lost so is found by those who look every second.
 */
export type Announcer = {
  due(): void
  changed(id: string): void
  cancel(id: string): void
  /** Sends what waits. */
  close(): Promise<void>
}

const collectMs = 5
/** A notification holds 8,000 bytes. */
const idsAtOnce = 200

export function openAnnouncer(sql: Sql): Announcer {
  const changed = new Set<string>()
  const cancelled = new Set<string>()
  let isDue = false
  let timer: Timer | null = null
  let sending: Promise<unknown> = Promise.resolve()

  return {
    due() {
      isDue = true
      soon()
    },
    changed(id) {
      changed.add(id)
      soon()
    },
    cancel(id) {
      cancelled.add(id)
      soon()
    },
    async close() {
      flush()
      await sending
    },
  }

  function soon(): void {
    timer ??= setTimeout(flush, collectMs)
  }

  function flush(): void {
    if (timer !== null) clearTimeout(timer)
    timer = null
    const messages: [channel: string, payload: string][] = [...cancelled].map((id) => [cancelChannel, id])
    if (isDue) messages.push([dueChannel, ''])
    const ids = [...changed]
    for (let at = 0; at < ids.length; at += idsAtOnce)
      messages.push([changedChannel, ids.slice(at, at + idsAtOnce).join(' ')])
    changed.clear()
    cancelled.clear()
    isDue = false
    for (const [channel, payload] of messages) {
      sending = Promise.all([sending, sql.notify(channel, payload).catch(() => {})])
    }
  }
}
