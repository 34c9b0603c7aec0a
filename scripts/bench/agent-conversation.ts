import { prose, random } from './payloads.ts'

/**
 * A conversation as a coding agent has it: 75 KB of system prompt and tools, the whole history resent with each
 * turn, cache markers that move with the last two messages, answers as streams.
 */
export type AgentTurn = { request: string; answer: string[] }

export function agentConversation(turns: number, seed = 5): AgentTurn[] {
  const next = random(seed)
  const system = [{ type: 'text', text: prose(30_000, seed), cache_control: { type: 'ephemeral' } }]
  const tools = Array.from({ length: 18 }, (_, n) => ({
    name: `tool_${n}`,
    description: prose(2_000, seed + 100 + n),
    input_schema: {
      type: 'object',
      properties: { path: { type: 'string', description: prose(300, seed + n) } },
    },
  }))
  const messages: { role: string; content: Record<string, unknown>[] }[] = []
  const result: AgentTurn[] = []
  for (let turn = 0; turn < turns; turn++) {
    messages.push({
      role: 'user',
      content: [{ type: 'text', text: prose(300 + next() * 3_000, seed * 1_000 + turn) }],
    })
    result.push({
      request: JSON.stringify({
        ...{ model: 'claude-bench', max_tokens: 8_000, stream: true },
        messages: marked(messages),
        ...{ system, tools },
        metadata: { user_id: `user_bench_session_00000000-0000-4000-8000-${String(seed).padStart(12, '0')}` },
      }),
      answer: [],
    })
    const words = prose(200 + next() * 800, seed * 2_000 + turn).split(' ')
    const latest = result[result.length - 1]
    if (latest !== undefined) latest.answer = words.map((word) => `${word} `)
    messages.push({ role: 'assistant', content: [{ type: 'text', text: words.join(' ') }] })
  }
  return result
}

/** The last two messages carry a cache marker, as agents set them. */
function marked(messages: { role: string; content: Record<string, unknown>[] }[]): unknown[] {
  return messages.map((message, index) =>
    index < messages.length - 2
      ? message
      : {
          ...message,
          content: message.content.map((block) => ({ ...block, cache_control: { type: 'ephemeral' } })),
        },
  )
}
