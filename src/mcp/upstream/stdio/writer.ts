import type { FileSink } from 'bun'

export type Writer = {
  /** False where too much waits already: the server does not read its input. */
  write(line: string): boolean
  end(): void
}

/** Bytes that may wait for a server that does not read. */
const mostWaiting = 32 * 1024 * 1024

export function openWriter(sink: FileSink): Writer {
  let waiting = 0
  return {
    write(line) {
      if (waiting > mostWaiting) return false
      const size = Buffer.byteLength(line)
      waiting += size
      try {
        sink.write(line)
        void Promise.resolve(sink.flush()).then(
          () => (waiting -= size),
          () => {},
        )
      } catch {
        // A broken pipe: the end of the process tells the rest.
      }
      return true
    },
    end() {
      try {
        void Promise.resolve(sink.end()).catch(() => {})
      } catch {
        // It was closed by the other side.
      }
    },
  }
}
