export type Releaser = {
  /** Registers how to undo what was just acquired. */
  add(name: string, release: () => unknown): void
  /** Undoes everything, last first, and goes on after an error. Safe to call twice. */
  releaseAll(): Promise<void>
}

/** A list of what was acquired, to be released in reverse order. */
export function releaser(onError: (name: string, error: unknown) => void = () => {}): Releaser {
  const held: { name: string; release: () => unknown }[] = []
  return {
    add: (name, release) => void held.push({ name, release }),
    async releaseAll() {
      for (let last = held.pop(); last !== undefined; last = held.pop()) {
        try {
          await last.release()
        } catch (error) {
          onError(last.name, error)
        }
      }
    },
  }
}
