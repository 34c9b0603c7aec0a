import type { Hop } from '../record/recorder.ts'
import type { Answer, RawJson } from '../wire/message.ts'
import { type Failure, failureAnswer, outcomeOf } from './failure.ts'
import type { UpstreamCall } from './upstream.ts'

/** A request under way. */
export type Pending = {
  id: number
  method: string
  hop: Hop
  /** The client's own progress token. */
  token: RawJson | null
  /** HTTP status of its answer, once known. */
  status: number | null
  listener: Pick<UpstreamCall, 'onNotification' | 'onRequest' | 'maxBytes' | 'logLevel'>
  /** Is it a client's, and not one of our own? */
  foreign: boolean
}

export type Settled = { answer: Answer; failure: Failure | null }

export type NewCall = Omit<Pending, 'id' | 'status'> & {
  /** Does the hop end with the call? */
  endsHop: boolean
  /** Null: it may last for ever. */
  timeoutMs: number | null
  maxTimeoutMs: number
  signal: AbortSignal | null
  /** Tells the server that nobody waits any more. */
  cancel(id: number, reason: string): void
}

export type Calls = {
  nextId(): number
  open(id: number, call: NewCall): Promise<Settled>
  get(id: number): Pending | undefined
  /** Those of clients. */
  foreign(): Pending[]
  size(): number
  /** Resolves when no client's call is under way. */
  drained(): Promise<void>
  /** Where there is just one. */
  only(): Pending | undefined
  answer(id: number, answer: Answer): void
  fail(id: number, failure: Failure): void
  /** Fails all there are, and all that come after. */
  end(failure: Failure): void
  /** Its time starts anew, up to its maximum. */
  progress(id: number): void
  /** Bytes that the largest answer awaited may have. */
  room(): number
}

type Entry = Pending & { settle(settled: Settled): void; refresh(): void }

/** A frame is a little larger than the answer in it. */
const wrapping = 65_536

/** Requests under way on one connection, each with its limits; every one of them ends, once. */
export function openCalls(): Calls {
  const entries = new Map<number, Entry>()
  const waiting = new Set<() => void>()
  let last = 0
  let over: Failure | null = null

  function open(id: number, call: NewCall): Promise<Settled> {
    return new Promise((resolve) => {
      const deadline = performance.now() + call.maxTimeoutMs
      const timer = call.timeoutMs === null ? null : setTimeout(late, call.timeoutMs)
      const onAbort = () => stop({ kind: 'cancelled', message: 'Nobody waits for the answer any more' })
      call.signal?.addEventListener('abort', onAbort)
      const entry: Entry = { ...call, id, status: null, settle, refresh }
      entries.set(id, entry)
      if (call.signal?.aborted === true) onAbort()
      else if (over !== null) settle({ answer: failureAnswer(over), failure: over })

      function late(): void {
        stop({ kind: 'timeout', message: `No answer to ${call.method} in time: ${call.timeoutMs} ms` })
      }

      function refresh(): void {
        if (timer !== null && performance.now() + (call.timeoutMs ?? 0) < deadline) timer.refresh()
      }

      function stop(failure: Failure): void {
        call.cancel(id, failure.message)
        settle({ answer: failureAnswer(failure), failure })
      }

      function settle(settled: Settled): void {
        if (!entries.delete(id)) return
        if (call.foreign && foreign().length === 0) for (const tell of waiting) tell()
        if (timer !== null) clearTimeout(timer)
        call.signal?.removeEventListener('abort', onAbort)
        const ended = call.endsHop ? endHop(entry, settled) : undefined
        if (ended === undefined) resolve(settled)
        else
          void ended.then(
            () => resolve(settled),
            (error) => resolve(unrecorded(error)),
          )
      }
    })
  }

  function foreign(): Entry[] {
    return [...entries.values()].filter((entry) => entry.foreign)
  }

  return {
    nextId: () => ++last,
    open,
    get: (id) => entries.get(id),
    foreign,
    async drained() {
      if (foreign().length > 0) await new Promise<void>((resolve) => waiting.add(resolve))
    },
    size: () => entries.size,
    only: () => (entries.size === 1 ? [...entries.values()][0] : undefined),
    answer: (id, answer) => entries.get(id)?.settle({ answer, failure: null }),
    fail: (id, failure) => entries.get(id)?.settle({ answer: failureAnswer(failure), failure }),
    end(failure) {
      over = { kind: 'unavailable', message: failure.message, unsent: true }
      for (const entry of [...entries.values()]) entry.settle({ answer: failureAnswer(failure), failure })
    },
    progress: (id) => entries.get(id)?.refresh(),
    room() {
      let most = 1_048_576
      for (const { listener } of entries.values()) most = Math.max(most, listener.maxBytes)
      return most + wrapping
    },
  }
}

function endHop({ hop, status }: Entry, { answer, failure }: Settled): Promise<void> | undefined {
  const outcome =
    failure === null ? ('error' in answer ? 'upstream_error' : 'completed') : outcomeOf[failure.kind]
  const error = failure === null ? ('error' in answer ? `rpc ${answer.error.code}` : null) : failure.kind
  return hop.end({ outcome, status: failure?.status ?? status, error }) ?? undefined
}

/** No answer without a record of it: that is the operator's choice where the disk is full. */
function unrecorded(error: unknown): Settled {
  const message = error instanceof Error ? error.message : 'The exchange could not be recorded'
  const failure: Failure = { kind: 'unavailable', message }
  return { answer: failureAnswer(failure), failure }
}
