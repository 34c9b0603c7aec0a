/**
 * A response whose body is made piece by piece as the client takes it. When the client leaves, nothing more is
 * made. No statement is cancelled on the server for it, as a cancel that comes late would hit whoever uses the
 * connection next: each is short, and has a time limit.
 */
export function streamed(
  source: AsyncGenerator<string | Uint8Array>,
  init: { status?: number; headers: Record<string, string> },
): Response {
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await source.next()
        if (done) controller.close()
        else controller.enqueue(typeof value === 'string' ? encoder.encode(value) : value)
      },
      async cancel() {
        await source.return(undefined)
      },
    },
    { highWaterMark: 1 },
  )
  return new Response(body, init)
}

/** The generator after its first piece was made: what fails there is still answered by a status. */
export async function begun<Piece>(source: AsyncGenerator<Piece>): Promise<AsyncGenerator<Piece>> {
  const first = await source.next()
  return (async function* () {
    try {
      if (first.done) return
      yield first.value
      yield* source
    } finally {
      await source.return(undefined)
    }
  })()
}
