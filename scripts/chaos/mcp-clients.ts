import { callFrame, modernHeaders } from '../bench/mcp/frames.ts'
import { type ChaosRelay, startChaosRelay } from './mcp-relay.ts'

export type McpClients = {
  /** The numbers of calls whose results a client saw. */
  seen: string[]
  sent(): number
  /** Calls that were answered with an error, or not at all. */
  failed(): number
  /** The relays now; those that die are started again. */
  relayPids(): number[]
  stop(): Promise<void>
}

export type McpClientsOptions = {
  url: string
  key: string
  tool: string
  http: number
  relays: number
}

/** That many clients, each making one call after the other: some over HTTP, some over a relay each. */
export function startMcpClients({ url, key, tool, http, relays }: McpClientsOptions): McpClients {
  const seen: string[] = []
  const held = new Map<number, ChaosRelay>()
  let sent = 0
  let failed = 0
  let running = true
  const loops = Array.from({ length: http + relays }, (_, client) => loop(client))

  return {
    ...{ seen, sent: () => sent, failed: () => failed },
    relayPids: () => [...held.values()].map(({ pid }) => pid),
    async stop() {
      running = false
      await Promise.all(loops)
      await Promise.all([...held.values()].map((relay) => relay.stop()))
    },
  }

  async function loop(client: number): Promise<void> {
    while (running) {
      const number = `n-${client}-${crypto.randomUUID()}`
      sent += 1
      try {
        const answer = client < http ? await overHttp(number) : await overRelay(client, number)
        if (answer.includes(`"text":"${number}"`)) seen.push(number)
        else failed += 1
      } catch {
        failed += 1
        await Bun.sleep(50)
      }
    }
  }

  async function overHttp(number: string): Promise<string> {
    const answer = await fetch(`${url}/mcp`, {
      method: 'POST',
      headers: {
        ...{ authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        ...modernHeaders('tools/call', tool),
      },
      body: callFrame(tool, { number }),
      signal: AbortSignal.timeout(30_000),
    })
    return await answer.text()
  }

  async function overRelay(client: number, number: string): Promise<string> {
    let relay = held.get(client)
    if (relay === undefined || relay.isOver()) {
      relay = startChaosRelay(url, key)
      held.set(client, relay)
      await relay.begin()
    }
    return await relay.call(tool, { number })
  }
}
