/** How the mock should behave, beyond answering. */
export type Directives = {
  /** Answer with this status and an error. */
  error: number | null
  /** Break the connection in the middle of the stream. */
  cut: boolean
  /** Report an error in the stream, after a 200. */
  inbandError: boolean
  /** Wait before each frame of a stream, in ms; before the whole answer otherwise. */
  delayMs: number
  /** Answer with this many text frames. */
  frames: number | null
  /** Answer with exactly the prompt. */
  echo: boolean
  /** Think aloud first. */
  thinking: boolean
}

/** From the model's name (`mock-slow-20+long-100`) and from the prompt (`[mock:error-529]`). */
export function readDirectives(model: string, prompt: string): Directives {
  const named = /^(?:models\/)?mock-(.+)$/.exec(model)?.[1]?.split('+') ?? []
  const said = [...prompt.matchAll(/\[mock:([\w+-]+)\]/g)].flatMap(([, words]) => words?.split('+') ?? [])
  const words = [...named, ...said]
  return {
    error: numberOf(words, 'error', 500),
    cut: words.includes('cut'),
    inbandError: words.includes('inband-error'),
    delayMs: Math.min(numberOf(words, 'slow', 50) ?? 0, 60_000),
    frames: bounded(numberOf(words, 'long', 200)),
    echo: words.includes('echo'),
    thinking: words.includes('thinking'),
  }
}

/** `slow` alone has a default; `slow-20` brings its own number. */
function numberOf(words: readonly string[], name: string, byDefault: number): number | null {
  for (const word of words) {
    const match = new RegExp(`^${name}(?:-(\\d{1,6}))?$`).exec(word)
    if (match !== null) return match[1] === undefined ? byDefault : Number(match[1])
  }
  return null
}

function bounded(frames: number | null): number | null {
  return frames === null ? null : Math.min(frames, 100_000)
}
