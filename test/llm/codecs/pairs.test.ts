import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { ChatDialect } from '../../../src/llm/codecs/model.ts'
import { type Mock, openMock } from '../../../src/llm/providers/mock/index.ts'
import { clients, dialects, pairs, type Question } from './clients.ts'
import { openTestGateway, type TestGateway } from './gateway.ts'

let mock: Mock
const gateways = new Map<ChatDialect, TestGateway>()

beforeAll(async () => {
  mock = await openMock()
  for (const to of dialects) gateways.set(to, openTestGateway(to, mock.url))
})
afterAll(async () => {
  for (const gateway of gateways.values()) await gateway.close()
  await mock.close()
})

const weather = {
  name: 'weather',
  schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}
const clock = { name: 'clock', schema: { type: 'object', properties: {} } }
const png = 'iVBORw0KGgo='
const pdf = 'JVBERi0xLjQ='
const ends: Record<ChatDialect, string> = {
  anthropic: 'end_turn',
  'openai-chat': 'stop',
  'openai-responses': 'completed',
  gemini: 'STOP',
}
const calling: Record<ChatDialect, string> = { ...ends, anthropic: 'tool_use', 'openai-chat': 'tool_calls' }

describe.each(pairs)('%s to %s', (from, to) => {
  const gateway = () => gateways.get(to) as TestGateway
  const ask = (question: Question) => clients[from](gateway().url, question)

  test.each([false, true])('text (streamed: %p)', async (stream) => {
    const heard = await ask({ system: 'Be brief.', say: [{ user: 'Hello there, wörld 🌍' }], stream })
    expect(heard.text).toBe('This is the mock provider. You said: Hello there, wörld 🌍')
    expect(heard.stop).toBe(ends[from])
    expect(heard.usage.input).toBeGreaterThan(0)
    expect(heard.usage.output).toBeGreaterThan(0)
    expect(heard.calls).toEqual([])
  })

  test('several turns, in their order', async () => {
    const say = [{ user: 'My name is Ada' }, { assistant: 'Hello Ada' }, { user: 'What is my name?' }]
    const heard = await ask({ system: 'Be brief.', say })
    expect(heard.text).toContain('What is my name?')
    const sent = JSON.stringify(gateway().last().body)
    const places = ['Be brief.', 'My name is Ada', 'Hello Ada', 'What is my name?'].map((text) =>
      sent.indexOf(text),
    )
    expect(places.every((place) => place >= 0)).toBe(true)
    const [, ...turns] = places
    expect(turns).toEqual(turns.toSorted((a, b) => a - b))
  })

  test.each([false, true])('T8: parallel calls with their arguments (streamed: %p)', async (stream) => {
    const prompt = 'Please use tool weather with {"city": "Zürich \\"x\\""}\nand use tool clock with {}'
    const heard = await ask({ say: [{ user: prompt }], tools: [weather, clock], stream })
    expect(heard.calls).toEqual([
      { name: 'weather', input: { city: 'Zürich "x"' } },
      { name: 'clock', input: {} },
    ])
    expect(heard.stop).toBe(calling[from])
  })

  test('results of parallel calls', async () => {
    const heard = await ask({
      say: [
        { user: 'Weather and time?' },
        {
          calls: [
            { id: 'call_a', name: 'weather', input: { city: 'Bern' } },
            { id: 'call_b', name: 'clock', input: {} },
          ],
        },
        {
          results: [
            { id: 'call_a', name: 'weather', text: 'sunny' },
            { id: 'call_b', name: 'clock', text: 'noon' },
          ],
        },
      ],
      tools: [weather, clock],
    })
    expect(heard.text).toContain('The tool answered')
    expect(heard.text).toContain('noon')
    const sent = JSON.stringify(gateway().last().body)
    for (const text of ['call_a', 'call_b', 'sunny', 'noon', 'Bern']) expect(sent).toContain(text)
  })

  test('a forced tool', async () => {
    const heard = await ask({ say: [{ user: 'Anything' }], tools: [clock, weather], force: 'weather' })
    expect(heard.calls.map(({ name }) => name)).toEqual(['weather'])
  })

  test('a name that is too long for the target comes back as it was', async () => {
    const name = `mcp__${'server_'.repeat(12)}__read_file`
    const heard = await ask({ say: [{ user: 'Go' }], tools: [{ ...clock, name }], force: name, stream: true })
    expect(heard.calls.map((call) => call.name)).toEqual([name])
    const short = to.startsWith('openai')
    expect(JSON.stringify(gateway().last().body).includes(name)).toBe(!short)
    expect(
      gateway()
        .last()
        .warnings.some((line) => line.startsWith('tool-name')),
    ).toBe(short)
  })

  test.each([false, true])('thinking (streamed: %p)', async (stream) => {
    const heard = await ask({ say: [{ user: 'Hm?' }], thinking: true, stream })
    expect(heard.text).toContain('You said: Hm?')
    // The mock's chat dialect thinks in silence, and OpenAI's SDK does not add up thinking in a chat stream.
    if (to === 'openai-chat' || from === 'openai-chat') return
    expect(heard.thinking).toBe('Let me think about that for a moment.')
  })

  test('images and documents', async () => {
    const heard = await ask({ say: [{ user: 'Describe', image: png, pdf }] })
    expect(heard.text).toContain('Describe')
    const sent = JSON.stringify(gateway().last().body)
    expect(sent).toContain(png)
    expect(sent).toContain(pdf)
    expect(gateway().last().warnings).toEqual(
      to === 'anthropic' && from !== 'anthropic' ? [expect.stringContaining('max-tokens-default')] : [],
    )
  })

  test('structured output', async () => {
    const schema = { ...weather.schema, additionalProperties: false }
    await ask({ say: [{ user: 'Where?' }], schema })
    const { body } = gateway().last()
    const places = {
      anthropic: { output_config: { format: { type: 'json_schema', schema } } },
      'openai-chat': { response_format: { type: 'json_schema', json_schema: { schema } } },
      'openai-responses': { text: { format: { type: 'json_schema', name: 'answer', schema } } },
      gemini: { generationConfig: { responseMimeType: 'application/json', responseJsonSchema: schema } },
    }
    expect(body).toMatchObject(places[to])
  })

  test.each([400, 401, 404, 429, 500])('an error %p keeps its status and reason', async (status) => {
    const failure = await ask({ model: `mock-error-${status}`, say: [{ user: 'x' }] }).catch((error) => error)
    expect(failure).toBeInstanceOf(Error)
    expect(failure.status).toBe(status)
    expect(failure.message).toContain('The mock was told to fail.')
  })

  test.each(['inband-error', 'cut'])('T6: a stream with %s fails at the client', async (fault) => {
    const long = `mock-long-20+${fault}`
    const failure = await ask({ model: long, say: [{ user: 'x' }], stream: true }).then(
      (heard) => heard,
      (error) => error,
    )
    if (from === 'openai-responses' && !(failure instanceof Error)) expect(failure.stop).toBe('failed')
    else expect(failure).toBeInstanceOf(Error)
  })
})
