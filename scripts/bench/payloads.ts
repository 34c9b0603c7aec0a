/** Deterministic bodies for benchmarks: prose-like, so that compression has what it has in real life. */

const vocabulary = words(4_000, 7)

/** A chat request whose JSON has about that many bytes. */
export function chatRequest(bytes: number, seed = 1): string {
  return JSON.stringify({
    model: 'gpt-bench',
    messages: [
      { role: 'system', content: prose(Math.max(0, bytes - 300), seed) },
      { role: 'user', content: prose(200, seed + 1) },
    ],
  })
}

/** A chat answer whose JSON has about that many bytes. */
export function completion(bytes: number): string {
  return JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'gpt-bench',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: prose(bytes, 3) } }],
    usage: { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 },
  })
}

/** The same as an answer of Anthropic's Messages. */
export function message(bytes: number): string {
  return JSON.stringify({
    ...{ id: 'msg_bench', type: 'message', role: 'assistant', model: 'claude-bench' },
    content: [{ type: 'text', text: prose(bytes, 3) }],
    ...{ stop_reason: 'end_turn', stop_sequence: null, usage: { input_tokens: 100, output_tokens: 50 } },
  })
}

/** One frame of a chat stream; `sent` (ms since the epoch) lets the client measure its delay. */
export function frame(n: number, sent: number): string {
  const chunk = {
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    model: 'gpt-bench',
    sent,
    choices: [{ index: 0, delta: { content: `${vocabulary[n % vocabulary.length]} ` } }],
  }
  return `data: ${JSON.stringify(chunk)}\n\n`
}

export function prose(bytes: number, seed: number): string {
  const next = random(seed)
  const parts: string[] = []
  for (let length = 0; length < bytes; ) {
    // The square favours few words, as language does.
    const word = vocabulary[Math.floor(next() ** 2 * vocabulary.length)] ?? ''
    parts.push(word)
    length += word.length + 1
  }
  return parts.join(' ').slice(0, Math.max(0, bytes))
}

function words(count: number, seed: number): string[] {
  const next = random(seed)
  return Array.from({ length: count }, () => {
    const length = 2 + Math.floor(next() * 9)
    return Array.from({ length }, () => String.fromCharCode(97 + Math.floor(next() * 26))).join('')
  })
}

/** mulberry32: small, seeded, good enough for payloads. */
export function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
