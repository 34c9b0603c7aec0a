import type { Id } from '../../wire/message.ts'
import type { FrameRoom } from '../link.ts'
import { type IdFinder, openIdFinder } from './id-finder.ts'

export type LineReader = { push(chunk: Uint8Array): void }

export type LineEvents = {
  line(text: string): void
  /** A line larger than there was room for, when it has passed. */
  oversized(id: Id | null, bytes: number): void
}

const newline = 0x0a

/**
 * Reads lines of any length in bounded memory: one for which there is no room is let pass, but for its id, so that
 * it fails one call and not the connection.
 */
export function openLineReader({ line, oversized }: LineEvents, room: FrameRoom): LineReader {
  let parts: Uint8Array[] = []
  let size = 0
  let passing: IdFinder | null = null

  function add(bytes: Uint8Array): void {
    size += bytes.length
    if (passing === null && size > room()) {
      passing = openIdFinder()
      for (const part of parts) passing.push(part)
      parts = []
    }
    if (passing === null) parts.push(bytes)
    else passing.push(bytes)
  }

  function end(): void {
    if (passing !== null) oversized(passing.id(), size)
    else if (size > 0) {
      const text = Buffer.concat(parts).toString('utf8').trim()
      if (text !== '') line(text)
    }
    parts = []
    size = 0
    passing = null
  }

  return {
    push(chunk) {
      let from = 0
      for (;;) {
        const at = chunk.indexOf(newline, from)
        if (at === -1) break
        add(chunk.subarray(from, at))
        end()
        from = at + 1
      }
      // A copy: the chunk's memory may be used again.
      if (from < chunk.length) add(chunk.slice(from))
    },
  }
}
