import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { openProviders } from '#llm'
import type { Adapter, Piece, Question } from '../../../src/llm/adapters/adapter.ts'
import { AskError } from '../../../src/llm/adapters/ask-error.ts'
import { openAdapters } from '../../../src/llm/adapters/factory.ts'
import { until } from '../../support/until.ts'
import { type Asking, openAsking, vendors } from './support.ts'

let asking: Asking

beforeAll(async () => {
  asking = await openAsking()
})
afterAll(() => asking.close())

function question(text: string, more: Partial<Question> = {}): Question {
  const turns: Question['turns'] = [{ role: 'user', parts: [{ kind: 'text', text }] }]
  return { turns, maxTokens: 500, signal: new AbortController().signal, ...more }
}

async function collected(adapter: Adapter, asked: Question): Promise<Piece[]> {
  const pieces: Piece[] = []
  for await (const piece of adapter.stream(asked)) pieces.push(piece)
  return pieces
}

async function failureOf(work: Promise<unknown>): Promise<AskError> {
  const error = await work.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof AskError)) throw error
  return error
}

const variants = [
  ...vendors.map((provider) => ({ provider, dialect: undefined })),
  { provider: 'openai' as const, dialect: 'openai-responses' as const },
]

describe.each(variants)('the adapter of %o', ({ provider, dialect }) => {
  const of = (model: string) =>
    asking.adapters.create({ provider, model, ...(dialect === undefined ? {} : { dialect }) }, asking.send)

  test('says who it asks', () => {
    const { metadata } = of('some-model')
    expect(metadata).toMatchObject({ name: provider, model: 'some-model' })
    expect(metadata.dialect).toBe(dialect ?? asking.providers.dialectOf(provider) ?? '')
  })

  test('has no problem once there are an address and a key', () => {
    expect(of('some-model').validateConfig()).toEqual([])
  })

  test('generates, with tokens, time and the record of it', async () => {
    const said = await of('mock-echo').generate(
      question('Good morning', { tags: ['a-tag'], conversation: 'c-1' }),
    )
    expect(said).toMatchObject({ text: 'Good morning', stop: 'end', model: 'mock-echo' })
    expect(said.usage).toMatchObject({ input: 3, output: 4, final: true })
    expect(said.ms).toBeGreaterThanOrEqual(0)
    const { open } = await asking.gateway.record(said.exchange ?? '')
    expect(open).toMatchObject({ provider, tenant: 'acme', tags: ['of-the-key', 'a-tag'] })
    expect(open.request_headers).toContainEqual(['sluice-conversation', 'c-1'])
  })

  test('streams pieces that add up to what it says at the end', async () => {
    const pieces = await collected(of('mock-echo'), question('one two three four five six seven'))
    const end = pieces.at(-1)
    if (end?.type !== 'end') throw new Error('no end')
    const texts = pieces.flatMap((piece) => (piece.type === 'text' ? [piece.text] : []))
    expect(texts.length).toBeGreaterThan(1)
    expect(texts.join('')).toBe('one two three four five six seven')
    expect(end.said).toMatchObject({ text: 'one two three four five six seven', stop: 'end' })
    expect(end.said.usage?.output).toBeGreaterThan(0)
    expect(end.said.exchange).not.toBeNull()
  })

  test('reads calls of tools', async () => {
    const tool = { name: 'look', description: null, schema: { type: 'object', properties: {} }, strict: null }
    const asked = question('use tool look with {"at": 1}', { tools: [tool] })
    const said = await of('mock').generate(asked)
    const pieces = await collected(of('mock'), asked)
    const end = pieces.at(-1)
    for (const parts of [said.parts, end?.type === 'end' ? end.said.parts : []]) {
      const call = parts.find(({ kind }) => kind === 'call')
      if (call?.kind !== 'call') throw new Error('no call')
      expect([call.name, JSON.parse(call.input)]).toEqual(['look', { at: 1 }])
    }
  })

  test('tells busy machinery from a question that cannot be answered', async () => {
    const busy = await failureOf(of('mock-error-529').generate(question('hi')))
    expect(busy).toMatchObject({ status: 529, transient: true, headers: { 'retry-after': '1' } })
    expect(busy.exchange).not.toBeNull()
    const bad = await failureOf(collected(of('mock-error-400'), question('hi')))
    expect(bad).toMatchObject({ status: 400, transient: false })
  })

  test('T6: fails on an error in the stream, and on a stream without its end', async () => {
    for (const model of ['mock-inband-error', 'mock-cut']) {
      const failed = await failureOf(collected(of(model), question('one two three four five six seven')))
      expect([model, failed.transient]).toEqual([model, true])
    }
  })

  test('stops when the asker leaves, and the upstream with it', async () => {
    const leaving = new AbortController()
    const work = collected(of('mock-slow-20+long-500'), question('hi', { signal: leaving.signal }))
    await until('a call under way', () => asking.gateway.underWay() > 0)
    leaving.abort()
    expect(await failureOf(work)).toBeInstanceOf(AskError)
    await until('no call under way', () => asking.gateway.underWay() === 0)
  })
})

test('an adapter says what is missing before it could work', () => {
  const adapters = openAdapters({ providers: openProviders({}) })
  const problems = (provider: string) =>
    adapters
      .create({ provider, model: 'm' }, asking.send)
      .validateConfig()
      .map(({ detail }) => detail)
  expect(problems('anthropic')).toEqual(['anthropic has no key: set ANTHROPIC_API_KEY'])
  expect(problems('vllm')).toEqual(['vllm has no address: set VLLM_BASE_URL'])
  expect(problems('ollama')).toEqual([])
})

test('what cannot be an adapter is refused with its reasons', () => {
  const { adapters, send } = asking
  expect(adapters.validate({ provider: 'nobody', model: 'm' })[0]?.detail).toContain('there is no nobody')
  expect(adapters.validate({ provider: 'openai' })[0]?.pointer).toBe('/model')
  expect(() => adapters.create({ provider: 'gemini', model: 'm', dialect: 'anthropic' }, send)).toThrow(
    'does not speak',
  )
})

test('there is an adapter for every provider, and a shape is registered once', () => {
  const { adapters } = asking
  expect(adapters.names()).toEqual(expect.arrayContaining([...vendors]))
  expect(() => adapters.register({ dialect: 'anthropic', transport: () => never() })).toThrow(
    'registered already',
  )
})

function never(): never {
  throw new Error('not to be called')
}
