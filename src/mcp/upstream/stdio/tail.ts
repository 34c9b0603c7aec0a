export type Tail = {
  push(chunk: Uint8Array): void
  /** The last lines, short enough for a reason. */
  text(): string
}

const kept = 4_096
const told = 600

/** Drinks a stream, and remembers its end alone: a server that floods its stderr costs 8 KB. */
export function openTail(): Tail {
  let parts: Uint8Array[] = []
  let size = 0
  return {
    push(chunk) {
      parts.push(chunk.slice(-kept))
      size += Math.min(chunk.length, kept)
      if (size <= 2 * kept) return
      parts = [Buffer.concat(parts).subarray(-kept)]
      size = kept
    },
    text() {
      const lines = Buffer.concat(parts).toString('utf8').trim()
      return lines.length <= told ? lines : `…${lines.slice(-told).toWellFormed()}`
    },
  }
}
