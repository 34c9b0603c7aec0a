import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs'

/**
 * What a server says, kept in a file: it always takes more, whereas a pipe that is not read stops every process that
 * has something to say, and with it the whole server.
 */
export type ServerLog = {
  /** To give to the server. */
  fd: number
  /** Calls back with the lines that came since the last time. */
  read(): void
  close(): void
}

const everyMs = 250
const chunkBytes = 64 * 1024

/**
 * Begins anew. Looked at four times a second.
 * @param mostBytes what is read already goes where it is more than this. @default 8 MiB
 */
export function openServerLog(
  path: string,
  onLine: (line: string) => void,
  mostBytes = 8 * 1024 * 1024,
): ServerLog {
  // Both write at its end, wherever that is after a cut.
  const fd = openSync(path, 'a+', 0o600)
  ftruncateSync(fd)
  const decoder = new TextDecoder()
  const chunk = new Uint8Array(chunkBytes)
  let position = 0
  let rest = ''
  const timer = setInterval(read, everyMs).unref()

  function read(): void {
    while (position < fstatSync(fd).size) {
      const count = readSync(fd, chunk, 0, chunkBytes, position)
      position += count
      const lines = (rest + decoder.decode(chunk.subarray(0, count), { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) onLine(line)
    }
    if (position <= mostBytes) return
    ftruncateSync(fd)
    position = 0
  }

  return {
    fd,
    read,
    close() {
      clearInterval(timer)
      read()
      if (rest !== '') onLine(rest)
      closeSync(fd)
    },
  }
}
