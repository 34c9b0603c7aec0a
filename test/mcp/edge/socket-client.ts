/** Messages over a WebSocket, in the order in which they come. */
export type SocketClient = {
  send(message: unknown): void
  /** The next message that came. Rejects where the connection is closed. */
  next(): Promise<Record<string, unknown>>
  closed: Promise<number>
  close(): void
}

export async function openSocket(url: string, headers: Record<string, string>): Promise<SocketClient> {
  const socket = new WebSocket(url.replace('http', 'ws'), { headers })
  const came: Record<string, unknown>[] = []
  const waiting: ((message: Record<string, unknown>) => void)[] = []
  const closed = Promise.withResolvers<number>()
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(String(data))
    const taker = waiting.shift()
    if (taker === undefined) came.push(message)
    else taker(message)
  }
  socket.onclose = ({ code }) => closed.resolve(code)
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve()
    socket.onerror = () => reject(new Error('the WebSocket was refused'))
  })
  return {
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    next() {
      const first = came.shift()
      if (first !== undefined) return Promise.resolve(first)
      return new Promise((resolve) => waiting.push(resolve))
    },
    closed: closed.promise,
    close: () => socket.close(),
  }
}
