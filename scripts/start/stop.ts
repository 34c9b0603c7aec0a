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
  /** How many ms are left until that many after the first signal; all of them if there was none. */
  left(ms: number): number
  /** Runs at the second signal, at once, before this process ends. */
  atOnce(action: () => void): void
}

/** `bun start` passes a terminal's Ctrl-C on to us, who had it from the terminal already: one request, two signals. */
const echoMs = 500
const parentPollMs = 500

/**
 * The first signal asks for an orderly stop; a second one ends everything now, with exit code 130. The death of the
 * `bun start` that runs this script counts as a signal.
 */
export function onStopSignals(): Stop {
  const actions: (() => void)[] = []
  let firstAt: number | null = null
  const { promise: signalled, resolve } = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal)
  if (process.env.npm_lifecycle_event === 'start') whenOrphaned(onSignal)
  return {
    signalled,
    check() {
      if (firstAt !== null) throw new StoppedError()
    },
    race: (work) =>
      Promise.race([
        work,
        signalled.then(() => {
          throw new StoppedError()
        }),
      ]),
    left: (ms) => (firstAt === null ? ms : Math.max(0, firstAt + ms - Date.now())),
    atOnce: (action) => void actions.push(action),
  }

  function onSignal(): void {
    if (firstAt === null) {
      firstAt = Date.now()
      resolve()
    } else if (Date.now() - firstAt > echoMs) {
      for (const action of actions) action()
      process.exit(130)
    }
  }
}

function whenOrphaned(callback: () => void): void {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    callback()
  }, parentPollMs)
}
