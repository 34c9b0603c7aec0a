export type Waits = {
  baseMs: number
  mostMs: number
}

/** Doubles with each failure, up to the most; half of it is chance, so that many do not come back at one moment. */
export function waitAfter(failures: number, { baseMs, mostMs }: Waits): number {
  const full = Math.min(mostMs, baseMs * 2 ** Math.min(failures, 30))
  return full / 2 + (Math.random() * full) / 2
}
