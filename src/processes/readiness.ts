import { SetupError } from '#lib/errors'

/** Something that this process needs. */
export type Probe = {
  name: string
  /** `proxying`: without it no call can be proxied; `record`: calls go on, and are spooled. */
  neededFor: 'proxying' | 'record'
  /** Null when all is well, else why not. A rejection is a no too; only its code is shown, as anybody may ask. */
  check: () => Promise<string | null> | string | null
}

export type Verdict = { name: string; needed_for: Probe['neededFor']; ok: boolean; reason: string | null }

const patienceMs = 2_000

/**
 * All probes' verdicts, at most 1 s old: however often anybody asks, the database is asked once a second. A probe
 * that takes longer than 2 s has failed.
 */
export function readiness(probes: readonly Probe[], keepMs = 1_000): () => Promise<Verdict[]> {
  let at = Number.NEGATIVE_INFINITY
  let verdicts: Promise<Verdict[]> = Promise.resolve([])
  return () => {
    const time = performance.now()
    if (time - at >= keepMs) {
      at = time
      verdicts = Promise.all(probes.map(judge))
    }
    return verdicts
  }
}

async function judge({ name, neededFor, check }: Probe): Promise<Verdict> {
  let timeout: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<string>((resolve) => {
    timeout = setTimeout(resolve, patienceMs, `no answer in ${patienceMs} ms`)
  })
  const checked = (async () => await check())().catch(shown)
  const reason = await Promise.race([checked, late]).finally(() => clearTimeout(timeout))
  return { name, needed_for: neededFor, ok: reason === null, reason }
}

/** Messages of drivers name hosts and users; those of a SetupError are written for people. */
function shown(error: unknown): string {
  if (error instanceof SetupError) return error.message
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^[\w-]{1,40}$/.test(code) ? code : 'failed'
}
