import { openStream, type StreamNews } from './data/stream.ts'

/**
 * One stream for all tabs of a browser: over HTTP/1.1 it opens six connections to a host, and a seventh tab with a
 * stream of its own would wait for ever.
 */
const ports = new Set<MessagePort>()
let last: StreamNews | null = null
let close: (() => void) | null = null

addEventListener('connect', (event) => {
  const [port] = (event as MessageEvent).ports
  if (port === undefined) return
  ports.add(port)
  port.onmessage = () => {
    ports.delete(port)
    if (ports.size > 0) return
    close?.()
    close = null
    last = null
  }
  port.start()
  if (last !== null) port.postMessage(last)
  close ??= openStream((news) => {
    last = news
    for (const each of ports) each.postMessage(news)
  })
})
