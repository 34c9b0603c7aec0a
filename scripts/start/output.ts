import { openSink, written } from '#lib/sink'

/** Of the supervisor itself: its children write to the same two descriptors. None of them waits for a reader. */
export type Output = {
  /** What a person should read, on standard output. */
  say(text: string): void
  /** What happens meanwhile, on standard error, so that standard output can be parsed. */
  note(text: string): void
  /** Resolves when all of it is written, or after a quarter of a second: to await before the end. */
  written(): Promise<void>
}

export function openOutput(): Output {
  const [out, err] = [openSink(1), openSink(2)]
  return {
    say: (text) => out.write(`${text}\n`),
    note: (text) => err.write(`sluice: ${text}\n`),
    written: async () => void (await Promise.all([written(out), written(err)])),
  }
}
