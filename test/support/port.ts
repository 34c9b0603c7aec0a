import { readFileSync } from 'node:fs'

/**
 * A port that was free a moment ago, for servers that cannot be told to take any, or that come back to theirs. None of
 * those that the kernel gives out by itself: whoever connects or listens meanwhile would be given it.
 */
export function freePort(): number {
  const first = firstGivenOut()
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (first - lowest))
    try {
      Bun.listen({ hostname: '127.0.0.1', port, socket: { data() {} } }).stop(true)
      return port
    } catch {
      // Taken.
    }
  }
}

/** Above those that browsers refuse. */
const lowest = 11_000

/** Of the ports that the kernel gives out: 32768 on Linux where nobody changed it, 49152 elsewhere. */
function firstGivenOut(): number {
  try {
    const first = Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10)
    return first > 2 * lowest ? first : 32_768
  } catch {
    return 32_768
  }
}
