import { oneLine } from '../wire/frame.ts'

/** The client's end: one frame a line, and nothing else. */
export type Output = {
  write(frame: string): void
  /** Resolves when the client has taken all. */
  drained(): Promise<void>
}

type Sink = { write(text: string, taken: () => void): unknown }

export function openOutput(sink: Sink): Output {
  let last: Promise<void> = Promise.resolve()
  return {
    write(frame) {
      last = new Promise((resolve) => void sink.write(`${oneLine(frame)}\n`, () => resolve()))
    },
    drained: () => last,
  }
}
