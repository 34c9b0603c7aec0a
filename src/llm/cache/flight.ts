import type { HeaderList } from '../headers.ts'

/** An answer to give to a client: stored before, or of another's request that is under way. */
export type CachedAnswer = {
  status: number
  headers: HeaderList
  /** A stream where it comes while the other's upstream is still answering; it breaks off where that does. */
  body: Uint8Array | ReadableStream<Uint8Array>
  /** ms since the epoch. */
  storedAt: number
  /** The exchange that was answered first. */
  exchange: string
}

/**
 * One request at an upstream and those who wait for the same answer. It is `asking` until the answer begins,
 * `answering` while it comes, then `whole`; or `released`: then whoever waits must ask an upstream himself.
 */
export type Flight = {
  /** Of who asks. */
  readonly exchange: string
  readonly state: 'asking' | 'answering' | 'whole' | 'released'
  /**
   * The answer: of a stream as soon as it begins, any other when it is whole. Null when released.
   * Rejects with the signal's reason.
   */
  join(signal: AbortSignal | undefined): Promise<CachedAnswer | null>
  /** Gives those who wait an answer from elsewhere, and ends. */
  give(answer: CachedAnswer): void
  answered(status: number, headers: HeaderList): void
  response(bytes: Uint8Array): void
  /** Ends; unless `whole`, those who got nothing yet are released and streams break off. */
  end(whole: boolean): void
  /** Would somebody miss the rest of the answer? */
  wanted(): boolean
  /** All bytes so far; null where there were too many to keep. */
  bytes(): Uint8Array | null
}

type Follower = { at: number; wake: () => void }

export class LeaderLostError extends Error {
  override readonly name = 'LeaderLostError'
}

/** `maxBytes` bounds what is kept for those who come late, and how far a stream may lag behind. */
export function openFlight(exchange: string, maxBytes: number): Flight {
  let state: Flight['state'] = 'asking'
  let head: Pick<CachedAnswer, 'status' | 'headers'> = { status: 0, headers: [] }
  let isStream = false
  let chunks: Uint8Array[] = []
  /** Chunks before the first that is still kept. */
  let dropped = 0
  let size = 0
  let tooLarge = false
  let given: CachedAnswer | null = null
  const waiting = new Set<(answer: CachedAnswer | null) => void>()
  const followers = new Set<Follower>()

  return {
    exchange,
    get state() {
      return state
    },
    join,
    give(answer) {
      given = answer
      state = 'whole'
      settle(() => answer)
    },
    answered(status, headers) {
      head = { status, headers }
      isStream = headers.some(([name, value]) => name === 'content-type' && /event-stream/i.test(value))
      state = 'answering'
      if (status !== 200) release()
    },
    response(bytes) {
      if (state !== 'answering') return
      size += bytes.byteLength
      chunks.push(bytes)
      if (size > maxBytes) overflow()
      if (isStream) settle(() => answerOf(follow()))
      for (const follower of followers) follower.wake()
    },
    end(whole) {
      if (state === 'released' || state === 'whole') return
      if (!whole || state === 'asking') return release()
      state = 'whole'
      if (!tooLarge) given = answerOf(Buffer.concat(chunks))
      settle(() => given)
      for (const follower of followers) follower.wake()
    },
    wanted: () => waiting.size + followers.size > 0,
    bytes: () => (tooLarge ? null : Buffer.concat(chunks)),
  }

  async function join(signal: AbortSignal | undefined): Promise<CachedAnswer | null> {
    if (state === 'released' || tooLarge) return null
    if (given !== null) return given
    if (state === 'answering' && isStream && size > 0) return answerOf(follow())
    const { promise, resolve, reject } = Promise.withResolvers<CachedAnswer | null>()
    const leave = () => {
      waiting.delete(resolve)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', leave)
    if (signal?.aborted) leave()
    else waiting.add(resolve)
    return await promise.finally(() => signal?.removeEventListener('abort', leave))
  }

  function answerOf(body: CachedAnswer['body']): CachedAnswer {
    return { ...head, body, storedAt: Date.now(), exchange }
  }

  function settle(answer: () => CachedAnswer | null): void {
    for (const resolve of waiting) resolve(answer())
    waiting.clear()
  }

  function release(): void {
    state = 'released'
    settle(() => null)
    for (const follower of followers) follower.wake()
    chunks = []
  }

  /** What is too large to be kept goes to those only who follow already, and is dropped behind the last of them. */
  function overflow(): void {
    tooLarge = true
    if (!isStream) settle(() => null)
    trim()
  }

  function trim(): void {
    if (!tooLarge) return
    const first = Math.min(dropped + chunks.length, ...[...followers].map(({ at }) => at))
    chunks = chunks.slice(first - dropped)
    dropped = first
  }

  function follow(): ReadableStream<Uint8Array> {
    const follower: Follower = { at: 0, wake: () => {} }
    followers.add(follower)
    const leave = () => {
      followers.delete(follower)
      trim()
    }
    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          while (follower.at >= dropped + chunks.length && state === 'answering') {
            await new Promise<void>((resolve) => {
              follower.wake = resolve
            })
          }
          const chunk = chunks[follower.at - dropped]
          if (chunk !== undefined && !isTooFarBehind(follower)) {
            follower.at += 1
            trim()
            return controller.enqueue(chunk)
          }
          leave()
          if (state === 'whole' && chunk === undefined) controller.close()
          else controller.error(new LeaderLostError('The answer that this one shared broke off'))
        },
        cancel: leave,
      },
      { highWaterMark: 0 },
    )
  }

  function isTooFarBehind({ at }: Follower): boolean {
    if (!tooLarge) return false
    let behind = 0
    for (const chunk of chunks.slice(at - dropped)) behind += chunk.byteLength
    return behind > 2 * maxBytes
  }
}
