import { expect, test } from 'bun:test'
import { translator } from '../../../src/llm/codecs/index.ts'
import { pairs } from './clients.ts'
import { paths } from './send.ts'

const headers = new Headers()
const bytes = new TextEncoder().encode(JSON.stringify(agentTurn()))

test.each(pairs)('a request of 75 KB from %s to %s takes less than 1 ms', (from, to) => {
  const body =
    from === 'anthropic'
      ? bytes
      : translator('anthropic', from)?.request(bytes, paths.anthropic, headers, { model: null }).body
  if (body === undefined) throw new Error('nothing to translate')
  expect(body.byteLength).toBeGreaterThan(65_000)
  const times = Array.from({ length: 60 }, () => {
    const before = performance.now()
    translator(from, to)?.request(body, paths[from], headers, { model: 'other' })
    return performance.now() - before
  })
  const [, , , third = 0] = times.toSorted((a, b) => a - b)
  expect(third).toBeLessThan(1)
})

/** What a coding agent sends in the middle of its work. */
function agentTurn(): Record<string, unknown> {
  const parameters = Object.fromEntries(
    [0, 1, 2, 3, 4].map((n) => [`p${n}`, { type: 'string', description: `Parameter ${n}` }]),
  )
  const tools = Array.from({ length: 30 }, (_, index) => ({
    name: `tool_${index}`,
    description: 'Does something useful. '.repeat(20),
    input_schema: { type: 'object', properties: parameters, required: ['p0'] },
  }))
  const messages = Array.from({ length: 18 }, (_, index) => [
    {
      role: 'assistant',
      content: [
        { type: 'text', text: 'I will read the file. '.repeat(10) },
        { type: 'tool_use', id: `toolu_${index}`, name: `tool_${index}`, input: { p0: `src/${index}.ts` } },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: `toolu_${index}`, content: 'line of code here; '.repeat(100) },
      ],
    },
  ]).flat()
  return {
    model: 'm',
    max_tokens: 1_000,
    system: 'You are. '.repeat(600),
    messages: [{ role: 'user', content: 'Do it.' }, ...messages],
    tools,
  }
}
