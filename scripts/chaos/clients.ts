import { prose } from '../bench/payloads.ts'

/** What a client saw of one request that it saw the end of. */
export type Seen = { number: string; exchange: string; requestSha: string; responseSha: string }

export type Clients = {
  seen: Seen[]
  /** Requests sent; those that failed because something was killed are not in `seen`. */
  sent(): number
  /** Answers with an error status: refused, not lost. */
  refused(): number
  latenciesMs: number[]
  stop(): Promise<void>
}

/** That many clients, each sending one request after the other: two thirds small, one third streamed. */
export function startClients(url: string, count: number, headers: Record<string, string> = {}): Clients {
  const seen: Seen[] = []
  const latenciesMs: number[] = []
  let sent = 0
  let refused = 0
  let running = true
  const loops = Array.from({ length: count }, (_, client) => loop(client))
  return {
    ...{ seen, latenciesMs, sent: () => sent, refused: () => refused },
    async stop() {
      running = false
      await Promise.all(loops)
    },
  }

  async function loop(client: number): Promise<void> {
    for (let round = 0; running; round++) {
      const number = `${client}-${round}-${crypto.randomUUID().slice(0, 8)}`
      sent++
      try {
        await once(number, (client + round) % 3 === 0)
      } catch {
        await Bun.sleep(50)
      }
    }
  }

  async function once(number: string, stream: boolean): Promise<void> {
    const body = JSON.stringify({
      ...{ model: 'chaos', stream },
      messages: [{ role: 'user', content: `${number} ${prose(1_000, number.length)}` }],
    })
    const began = performance.now()
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        ...{ authorization: 'Bearer chaos', 'content-type': 'application/json' },
        ...{ 'x-chaos-number': number, 'sluice-tags': `chaos-${number}`, ...headers },
      },
      body,
      signal: AbortSignal.timeout(30_000),
    })
    const bytes = new Uint8Array(await answer.arrayBuffer())
    if (answer.status !== 200) {
      refused++
      return await Bun.sleep(20)
    }
    if (!stream) latenciesMs.push(performance.now() - began)
    // A stream that was cut without an error still has no end of its own.
    if (stream && !Buffer.from(bytes).includes('[DONE]')) return
    seen.push({
      number,
      exchange: answer.headers.get('sluice-exchange') ?? '',
      requestSha: sha256(body),
      responseSha: sha256(bytes),
    })
  }
}

function sha256(bytes: string | Uint8Array): string {
  return new Bun.CryptoHasher('sha256').update(bytes).digest('hex')
}
