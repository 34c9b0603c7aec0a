/** Beside `env.ts`, and without its validator: a relay starts with each client, and would start in twice the time. */
export type RelayEnv = {
  url: string | undefined
  key: string | undefined
  /** Claude Code tells its session to the servers that it starts, and only so. */
  clientSession: string | undefined
}

export function readRelayEnv(source: Record<string, string | undefined> = process.env): RelayEnv {
  return {
    url: source.SLUICE_URL || undefined,
    key: source.SLUICE_KEY || undefined,
    clientSession: source.CLAUDE_CODE_SESSION_ID || undefined,
  }
}
