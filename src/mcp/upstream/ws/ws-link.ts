import { ConnectError } from '../failure.ts'
import type { RemoteOptions } from '../http/remote.ts'
import type { FrameRoom, Link, LinkEvents } from '../link.ts'
import { openIdFinder } from '../stdio/id-finder.ts'

const connectMs = 15_000
/** Bytes that may wait for a server that does not read. */
const mostWaiting = 32 * 1024 * 1024

/**
 * One frame a message, in both directions.
 * @throws ConnectError
 */
export async function openWebSocketLink(
  remote: RemoteOptions,
  events: LinkEvents,
  { room, signal }: { room: FrameRoom; signal: AbortSignal },
): Promise<Link> {
  const socket = await connected(remote, signal)
  let open = true
  const ended = new Promise<void>((resolve) => {
    socket.addEventListener('close', ({ code, reason }) => {
      resolve()
      if (!open) return
      open = false
      events.closed(
        `The server closed the connection (${code}${reason === '' ? '' : `: ${reason.slice(0, 200)}`})`,
      )
    })
  })
  socket.addEventListener('message', ({ data }) => {
    if (open) receive(typeof data === 'string' ? data : Buffer.from(data as ArrayBuffer).toString('utf8'))
  })

  function receive(text: string): void {
    const size = Buffer.byteLength(text)
    if (size <= room()) {
      events.frame(text, null)
      return
    }
    const finder = openIdFinder()
    finder.push(Buffer.from(text))
    events.oversized(finder.id(), size, null)
  }

  return {
    dropCancels: false,
    pid: null,
    send({ text, id }) {
      if (!open) return
      if (socket.bufferedAmount <= mostWaiting) socket.send(text)
      else if (id !== null)
        events.lost(id, { kind: 'gone', message: 'The server does not read what it is sent' })
    },
    drop() {},
    ready() {},
    async close() {
      open = false
      if (socket.readyState === WebSocket.CLOSED) return
      socket.close(1000)
      const timer = setTimeout(() => socket.terminate(), 1_000)
      await ended
      clearTimeout(timer)
    },
  }
}

async function connected(
  { url: text, headers, locate }: RemoteOptions,
  signal: AbortSignal,
): Promise<WebSocket> {
  const { url: found, host, serverName } = await locate(text)
  const url = new URL(found)
  url.protocol = url.protocol.replace('http', 'ws')
  const socket = new WebSocket(url.href, {
    headers: { ...headers, ...(host === null ? {} : { host }) },
    protocols: ['mcp'],
    ...(serverName === null ? {} : { tls: { serverName } }),
  })
  socket.binaryType = 'arraybuffer'
  return await new Promise((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
      socket.terminate()
      reject(new ConnectError(`No WebSocket to ${url.host}: ${why}`))
    }
    const timer = setTimeout(() => fail(`nothing within ${connectMs} ms`), connectMs)
    const giveUp = () => fail('given up')
    signal.addEventListener('abort', giveUp)
    socket.addEventListener('open', () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
      resolve(socket)
    })
    socket.addEventListener('error', (event) => fail('message' in event ? String(event.message) : 'refused'))
    socket.addEventListener('close', ({ code }) => fail(`closed with ${code}`))
  })
}
