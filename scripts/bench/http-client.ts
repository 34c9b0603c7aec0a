/**
 * A load generator's connection: HTTP/1.1 over a raw socket, one request at a time, as little work a request as
 * possible, so that on a small machine the load costs less than what is measured.
 */
export type Answer = { status: number; bytes: number; firstByteMs: number; ms: number }

export type Connection = {
  /** Sends the prepared request and resolves at the end of its response. */
  send(request: Uint8Array, onBody?: (chunk: Uint8Array) => void): Promise<Answer>
  close(): void
}

/** A request as bytes on the wire. */
export function prepare(
  path: string,
  host: string,
  headers: Record<string, string>,
  body: string,
): Uint8Array {
  const payload = Buffer.from(body)
  const lines = Object.entries({
    host,
    'content-type': 'application/json',
    'content-length': String(payload.length),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), payload])
}

type Pending = {
  resolve: (answer: Answer) => void
  reject: (error: Error) => void
  onBody: ((chunk: Uint8Array) => void) | undefined
  started: number
  firstByte: number
  head: Buffer | null
  status: number
  /** Body bytes still to come, or -1 for a chunked body, which ends with an empty chunk. */
  left: number
  bytes: number
  tail: string
}

export async function connect(hostname: string, port: number): Promise<Connection> {
  let pending: Pending | null = null
  let backlog: Uint8Array | null = null
  const socket = await Bun.connect({
    hostname,
    port,
    socket: {
      data: (_, chunk) => receive(chunk),
      drain: () => flush(),
      close: () => fail(new Error('connection closed')),
      error: (_, error) => fail(error),
    },
  })

  return {
    send(request, onBody) {
      return new Promise((resolve, reject) => {
        pending = {
          ...{ resolve, reject, onBody, started: performance.now(), firstByte: 0, head: null },
          ...{ status: 0, left: 0, bytes: 0, tail: '' },
        }
        backlog = request
        flush()
      })
    },
    close: () => void socket.end(),
  }

  function flush(): void {
    if (backlog === null) return
    const written = socket.write(backlog)
    backlog = written < backlog.length ? backlog.subarray(Math.max(0, written)) : null
  }

  function fail(error: Error): void {
    pending?.reject(error)
    pending = null
  }

  function receive(chunk: Buffer): void {
    const now = pending
    if (now === null) return
    if (now.status !== 0) {
      body(now, chunk)
      return
    }
    const head = now.head === null ? chunk : Buffer.concat([now.head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end === -1) {
      now.head = Buffer.from(head)
      return
    }
    const text = head.toString('latin1', 0, end)
    now.firstByte = performance.now()
    now.status = Number(text.slice(9, 12))
    const length = /\r\ncontent-length: (\d+)/i.exec(text)
    now.left = length === null ? -1 : Number(length[1])
    body(now, head.subarray(end + 4))
  }

  function body(now: Pending, chunk: Uint8Array): void {
    now.bytes += chunk.length
    if (chunk.length > 0) now.onBody?.(chunk)
    if (now.left === -1) {
      now.tail = (now.tail + Buffer.from(chunk.subarray(-8)).toString('latin1')).slice(-8)
      if (!now.tail.endsWith('0\r\n\r\n')) return
    } else if (now.bytes < now.left) return
    const ended = performance.now()
    pending = null
    now.resolve({
      status: now.status,
      bytes: now.bytes,
      firstByteMs: now.firstByte - now.started,
      ms: ended - now.started,
    })
  }
}
