export class StoppedError extends Error {
  override readonly name = 'StoppedError'
}

export type Stop = {
  /** Resolves at the first SIGINT or SIGTERM. */
  signalled: Promise<void>
  /** @throws StoppedError once signalled */
  check(): void
  /** That work's result. @throws StoppedError if a signal comes first */
  race<Result>(work: Promise<Result>): Promise<Result>
  /** Runs at the second signal, at once, before this process ends. */
  atOnce(action: () => void): void
}

/** The first signal asks for an orderly stop; a second one ends everything now, with exit code 130. */
export function onStopSignals(): Stop {
  const actions: (() => void)[] = []
  let count = 0
  const { promise: signalled, resolve } = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      count += 1
      resolve()
      if (count < 2) return
      for (const action of actions) action()
      process.exit(130)
    })
  }
  return {
    signalled,
    check() {
      if (count > 0) throw new StoppedError()
    },
    race: (work) =>
      Promise.race([
        work,
        signalled.then(() => {
          throw new StoppedError()
        }),
      ]),
    atOnce: (action) => void actions.push(action),
  }
}
