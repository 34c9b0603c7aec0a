import net from 'node:net'
import tls from 'node:tls'
import { selfSigned } from './self-signed.ts'

/** One request as it stood on the wire. */
export type Seen = {
  method: string
  /** Request target, untouched. */
  path: string
  /** In the order and case of the wire. */
  headers: [name: string, value: string][]
  header(name: string): string | undefined
  body: Buffer
  /** Resolves when the connection is closed, by whichever side. */
  closed: Promise<void>
}

/** What the script does with a request. */
export type Reply = {
  /** Writes bytes as they are. Strings are Latin-1. Resolves when the kernel has them. */
  write(bytes: string | Uint8Array): Promise<void>
  /** A whole answer with a content-length. */
  answer(
    status: number,
    headers: Record<string, string | string[]>,
    body?: string | Uint8Array,
  ): Promise<void>
  /** Head of an answer in chunks. */
  head(status: number, headers?: Record<string, string>): Promise<void>
  chunk(bytes: string | Uint8Array): Promise<void>
  /** Ends a chunked answer. */
  end(): Promise<void>
  /** Closes the connection, whatever was promised. */
  cut(): void
}

export type Script = (reply: Reply, seen: Seen) => unknown

export type Upstream = {
  url: string
  port: number
  seen: Seen[]
  connections(): number
  /** The next request, or the one that is there already, by its place in the journal. */
  request(index: number): Promise<Seen>
  close(): Promise<void>
}

/**
 * An upstream that does exactly what its script says, on raw TCP: any status, header, byte and silence, cuts in
 * any place. Keeps a journal of what came.
 */
export async function scriptedUpstream(script: Script, { secure = false } = {}): Promise<Upstream> {
  const seen: Seen[] = []
  const sockets = new Set<net.Socket>()
  let total = 0
  const waiting: { index: number; resolve: (seen: Seen) => void }[] = []
  const accept = (socket: net.Socket) => {
    total += 1
    sockets.add(socket)
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    void closed.then(() => sockets.delete(socket))
    socket.on('error', () => {})
    socket.setNoDelay(true)
    readRequests(socket, closed, (request) => {
      seen.push(request)
      for (const { index, resolve } of waiting) if (index === seen.length - 1) resolve(request)
      void script(replyOn(socket), request)
    })
  }
  const server = secure ? tls.createServer({ ...selfSigned }, accept) : net.createServer(accept)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  return {
    url: `${secure ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    seen,
    connections: () => total,
    request: (index) =>
      new Promise((resolve) => {
        const there = seen[index]
        if (there) resolve(there)
        else waiting.push({ index, resolve })
      }),
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function readRequests(socket: net.Socket, closed: Promise<void>, onRequest: (seen: Seen) => void): void {
  let bytes: Buffer = Buffer.alloc(0)
  socket.on('data', (data: Buffer) => {
    bytes = Buffer.concat([bytes, data])
    for (;;) {
      const read = readRequest(bytes, closed)
      if (read === null) return
      bytes = bytes.subarray(read.length)
      onRequest(read.seen)
    }
  })
}

function readRequest(bytes: Buffer, closed: Promise<void>): { seen: Seen; length: number } | null {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd === -1) return null
  const [first = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n')
  const [method = '', path = ''] = first.split(' ')
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).trim()]
  })
  const header = (name: string) => headers.find(([found]) => found.toLowerCase() === name)?.[1]
  const start = headEnd + 4
  const framed =
    header('transfer-encoding') === 'chunked'
      ? readChunks(bytes, start)
      : readLength(bytes, start, Number(header('content-length') ?? 0))
  if (framed === null) return null
  return { seen: { method, path, headers, header, body: framed.body, closed }, length: framed.end }
}

function readLength(bytes: Buffer, start: number, length: number): { body: Buffer; end: number } | null {
  const end = start + length
  return bytes.length < end ? null : { body: bytes.subarray(start, end), end }
}

function readChunks(bytes: Buffer, start: number): { body: Buffer; end: number } | null {
  const parts: Buffer[] = []
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return null
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16)
    const next = lineEnd + 2 + size + 2
    if (bytes.length < next) return null
    if (size === 0) return { body: Buffer.concat(parts), end: next }
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = next
  }
}

function replyOn(socket: net.Socket): Reply {
  const write = (bytes: string | Uint8Array) =>
    new Promise<void>((resolve) => {
      if (socket.destroyed) resolve()
      else socket.write(buffer(bytes, 'latin1'), () => resolve())
    })
  return {
    write,
    answer(status, headers, body = '') {
      const content = buffer(body)
      const lines = Object.entries(headers).flatMap(([name, value]) =>
        [value].flat().map((one) => `${name}: ${one}\r\n`),
      )
      const head = `HTTP/1.1 ${status} Scripted\r\n${lines.join('')}content-length: ${content.length}\r\n\r\n`
      return write(Buffer.concat([Buffer.from(head, 'latin1'), content]))
    },
    head(status, headers = {}) {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
      return write(`HTTP/1.1 ${status} Scripted\r\n${lines.join('')}transfer-encoding: chunked\r\n\r\n`)
    },
    chunk(bytes) {
      const content = buffer(bytes)
      const size = Buffer.from(`${content.length.toString(16)}\r\n`)
      return write(Buffer.concat([size, content, Buffer.from('\r\n')]))
    },
    end: () => write('0\r\n\r\n'),
    cut: () => void socket.destroy(),
  }
}

function buffer(bytes: string | Uint8Array, encoding: BufferEncoding = 'utf8'): Buffer {
  return typeof bytes === 'string' ? Buffer.from(bytes, encoding) : Buffer.from(bytes)
}
