import type { Hop } from '../record/recorder.ts'
import type { Failure } from './failure.ts'
import type { Hops } from './hops.ts'

export type UnaskedHops = {
  /** Null where it cannot be recorded, or the connection is over. */
  get(): Hop | null
  end(): void
}

/** A hop is searchable when it has ended: what a server says by itself over days must not wait for days. */
const lastsMs = 5_000

/** Hops for what comes unasked on a connection, each begun with the first of it and ended soon. */
export function unaskedHops(hops: Hops): UnaskedHops {
  let hop: Hop | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let over = false

  function end(): void {
    clearTimeout(timer)
    const ended = hop?.end({ outcome: 'completed', status: null, error: null })
    hop = null
    void Promise.resolve(ended).catch(() => {})
  }

  return {
    get() {
      if (hop !== null || over) return hop
      const opened = begun(() => hops.own(null))
      if ('kind' in opened) return null
      hop = opened
      timer = setTimeout(end, lastsMs)
      timer.unref()
      return hop
    },
    end() {
      over = true
      end()
    },
  }
}

/** For frames of ours while the disk is full. */
export const unrecorded: Hop = { id: '', request() {}, response() {}, end() {} }

export function begun(begin: () => Hop): Hop | Failure {
  try {
    return begin()
  } catch (error) {
    return { kind: 'unavailable', message: error instanceof Error ? error.message : String(error) }
  }
}
