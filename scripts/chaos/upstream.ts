/**
 * An upstream that keeps a journal: what it was asked and what it answered, by the client's own number.
 */
export type Journal = {
  url: string
  /** sha256 of the answer, by the number of the request. */
  answered: Map<string, string>
  stop(): Promise<void>
}

const encoder = new TextEncoder()

export function startJournal(): Journal {
  const answered = new Map<string, string>()
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const number = request.headers.get('x-chaos-number') ?? ''
      const asked = await request.text()
      const frames = framesFor(number, asked)
      const hash = new Bun.CryptoHasher('sha256')
      for (const frame of frames) hash.update(frame)
      answered.set(number, hash.digest('hex'))
      if (!asked.includes('"stream":true')) {
        return new Response(frames.join(''), { headers: { 'content-type': 'application/json' } })
      }
      return new Response(drip(frames), { headers: { 'content-type': 'text/event-stream' } })
    },
  })
  return { url: `http://127.0.0.1:${server.port}`, answered, stop: () => server.stop(true) }
}

function framesFor(number: string, asked: string): string[] {
  const chunk = (text: string) => ({
    id: number,
    model: 'chaos',
    choices: [{ index: 0, delta: { content: text } }],
  })
  if (!asked.includes('"stream":true')) {
    const message = { role: 'assistant', content: `answer to ${number}` }
    return [
      JSON.stringify({ id: number, model: 'chaos', choices: [{ index: 0, message, finish_reason: 'stop' }] }),
    ]
  }
  const words = Array.from({ length: 20 }, (_, n) => `data: ${JSON.stringify(chunk(`${number}-${n} `))}\n\n`)
  return [...words, 'data: [DONE]\n\n']
}

/** About 300 ms in all: long enough to be on the spool's slow path when something is killed. */
function drip(frames: string[]): ReadableStream<Uint8Array> {
  let next = 0
  return new ReadableStream({
    async pull(controller) {
      const frame = frames[next++]
      if (frame === undefined) return controller.close()
      if (next > 1) await Bun.sleep(15)
      controller.enqueue(encoder.encode(frame))
    },
  })
}
