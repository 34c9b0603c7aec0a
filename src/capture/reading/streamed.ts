/**
 * A response whose body is made piece by piece as the client takes it. When the client leaves, nothing more is
 * made: the source is told through `return()` at its next piece. No statement is cancelled on the server for it,
 * as a cancel that comes late would hit whoever uses the connection next; each is short, and has a time limit.
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

export const jsonLines = {
  'content-type': 'application/x-ndjson; charset=utf-8',
  'cache-control': 'no-store',
}

/** Never run by a browser as a page of ours, whatever the upstream said it is. */
export const inert = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "sandbox; default-src 'none'",
  'cache-control': 'private, no-store',
}
