import type { Outcome } from '#capture'
import { type Attempt, failureOf, type UpstreamFailure } from '#lib/upstream'
import type { Call } from './call.ts'
import { clientLeft, endOf } from './refusal.ts'

/** What is read of a body: a stream, or the rest of one that was begun. */
export type Body = {
  getReader(): {
    read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>
    cancel(reason: unknown): Promise<void>
  }
}

export type Passage = {
  call: Call
  attempt: Attempt
}

/**
 * A body that came with its length, read whole so that it can go out with it: Bun sends streams chunked.
 * Where it broke off, a stream of what there was, which breaks off too.
 */
export async function wholeBody(
  body: Body,
  length: number,
  passage: Passage & { init: { headers: Headers } & ResponseInit },
): Promise<Response> {
  const { call, attempt, init } = passage
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    while (size < length) {
      const { done, value } = await reader.read()
      if (done || value === undefined) break
      attempt.touch('answered')
      call.response(value)
      chunks.push(value)
      size += value.byteLength
    }
  } catch (error) {
    const failure = failureOf(error, attempt)
    attempt.end()
    await call.end(endOf(failure).outcome, call.clientGone ? null : failure.reason)
    return new Response(brokenStream(chunks, failure), init)
  }
  attempt.end()
  const sealed = call.end(call.clientGone ? 'client_gone' : 'completed')
  if (sealed !== undefined) await sealed
  const [only] = chunks
  const whole = (chunks.length === 1 && only ? only : Buffer.concat(chunks)) as Uint8Array<ArrayBuffer>
  return new Response(init.headers.has('content-type') ? whole : oneChunk(whole), init)
}

/**
 * Passes the upstream's chunks on as they come, when the client takes them. The record is sealed before the
 * client sees the end, on each of the ways to end: whole, upstream broken, client gone, cut by a limit.
 */
export function passingBody(body: Body, passage: Passage): ReadableStream<Uint8Array> {
  const { call, attempt } = passage
  const reader = body.getReader()
  let controller: ReadableStreamDefaultController<Uint8Array>
  let reading = false
  let gone = false
  attempt.onCut = (failure) => {
    if (!reading) void broken(failure)
  }

  return new ReadableStream<Uint8Array>(
    {
      start(own) {
        controller = own
      },
      pull: read,
      cancel() {
        gone = true
        call.clientGone = true
        if (!call.outlivesClient) attempt.cut(clientLeft())
        else if (!reading) void read()
      },
    },
    { highWaterMark: 0 },
  )

  function read(): Promise<void> {
    reading = true
    attempt.touch('answered')
    return reader.read().then(onChunk, (error) => {
      reading = false
      return broken(failureOf(error, attempt))
    })
  }

  function onChunk({ done, value }: { done: boolean; value?: Uint8Array | undefined }): void | Promise<void> {
    reading = false
    if (done || value === undefined) return over(call.clientGone ? 'client_gone' : 'completed', null)
    call.response(value)
    if (gone) return read()
    attempt.touch('blocked')
    controller.enqueue(value)
  }

  function broken(failure: UpstreamFailure): void | Promise<void> {
    void reader.cancel(failure).catch(ignore)
    return over(endOf(failure).outcome, failure)
  }

  function over(outcome: Outcome, failure: UpstreamFailure | null): void | Promise<void> {
    attempt.end()
    const sealed = call.end(outcome, failure === null || call.clientGone ? null : failure.reason)
    if (sealed === undefined) return close(failure)
    return sealed.then(() => close(failure), close)
  }

  function close(failure: unknown): void {
    if (gone) return
    if (failure === null) controller.close()
    else breakOff(controller, failure)
  }
}

/** One chunk, as a stream: unlike for bytes, Bun adds no `content-type`, and still sends the length. */
export function oneChunk(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (bytes.byteLength > 0) controller.enqueue(bytes)
      controller.close()
    },
  })
}

function brokenStream(chunks: Uint8Array[], failure: Error): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      const next = chunks.shift()
      if (next === undefined) breakOff(controller, failure)
      else controller.enqueue(next)
    },
  })
}

/** Bun resets the connection at once and forgets what it has not sent: with no wait, the last chunk 30 times in 30. */
const lingerMs = 10

export function breakOff(controller: ReadableStreamDefaultController<Uint8Array>, failure: unknown): void {
  setTimeout(() => controller.error(failure), lingerMs)
}

function ignore(): void {}
