/** Lets so much work go on at once; what takes long no longer counts, so that it holds up nobody for ever. */
export type Turns = <Value>(work: () => Promise<Value>) => Promise<Value>

export function openTurns({ most, longMs }: { most: number; longMs: number }): Turns {
  const waiting: (() => void)[] = []
  let running = 0

  return async (work) => {
    while (running >= most) await new Promise<void>((resolve) => waiting.push(resolve))
    running += 1
    const done = once(() => {
      running -= 1
      waiting.shift()?.()
    })
    const timer = setTimeout(done, longMs)
    try {
      return await work()
    } finally {
      clearTimeout(timer)
      done()
    }
  }
}

function once(run: () => void): () => void {
  let called = false
  return () => {
    if (called) return
    called = true
    run()
  }
}
