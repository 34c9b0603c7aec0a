import { until } from '../../support/until.ts'

export type RawListeners = {
  /** How many of them heard it, at least so many times. */
  heard(word: string, times?: number): number
  close(): void
}

/** So many connections that each post the same body and listen. `fetch` has too few for that. */
export async function rawListeners(
  count: number,
  { url, body, headers }: { url: string; body: string; headers: Record<string, string> },
): Promise<RawListeners> {
  const { hostname, port, host, pathname } = new URL(url)
  const lines = Object.entries({ host, 'content-length': String(Buffer.byteLength(body)), ...headers })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const texts = Array.from({ length: count }, () => '')
  const sockets = await Promise.all(
    texts.map((_, at) =>
      Bun.connect({
        hostname,
        port: Number(port),
        socket: {
          open: (socket) => void socket.write(`POST ${pathname} HTTP/1.1\r\n${head}\r\n${body}`),
          data(_, bytes) {
            texts[at] += bytes.toString()
          },
        },
      }),
    ),
  )
  const heard = (word: string, times = 1) => texts.filter((text) => text.split(word).length > times).length
  await until('all listen', () => heard('subscriptions/acknowledged') === count, { ms: 20_000 })
  return {
    heard,
    close() {
      for (const socket of sockets) socket.end()
    },
  }
}
