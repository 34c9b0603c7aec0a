export type RelaySettings = {
  /** Of the gateway's MCP endpoint. */
  url: string
  key: string | null
  /** The client's own session: so its tool calls stand beside its model calls on the record. */
  clientSession: string | null
  /** How long a request waits for a gateway that cannot be reached. */
  patienceMs: number
}

export const relayUsage = `usage: sluice-relay [--url URL] [--key KEY] [--patience SECONDS]
  --url       the gateway, as in http://127.0.0.1:8080 or …/mcp/<portal>; default: SLUICE_URL, or that
  --key       a Sluice key; better SLUICE_KEY, as command lines can be read by others on this machine
  --patience  how long a request waits for a gateway that is down; default 30`

/** @throws Error with one line that says what is wrong */
export function readRelaySettings(
  words: readonly string[],
  env: { [name in 'url' | 'key' | 'clientSession']: string | undefined },
): RelaySettings {
  const given = new Map<string, string>()
  for (let at = 0; at < words.length; at += 1) {
    const [name = '', inline] = (words[at] ?? '').split(/=(.*)/s)
    if (!['--url', '--key', '--patience'].includes(name))
      throw new Error(`${name}: not known here\n${relayUsage}`)
    if (inline === undefined) at += 1
    const value = inline ?? words[at]
    if (value === undefined || value === '') throw new Error(`${name}: needs a value`)
    given.set(name, value)
  }
  const patience = Number(given.get('--patience') ?? 30)
  if (!(patience >= 0 && patience <= 3_600)) throw new Error('--patience: must be 0 to 3600 seconds')
  return {
    url: endpoint(given.get('--url') ?? env.url ?? 'http://127.0.0.1:8080'),
    key: given.get('--key') ?? env.key ?? null,
    clientSession: env.clientSession ?? null,
    patienceMs: patience * 1_000,
  }
}

/** An address without a path means the endpoint for everything. */
function endpoint(text: string): string {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new Error('the URL of the gateway must be http or https')
  if (url.pathname === '/') url.pathname = '/mcp'
  return url.href
}
