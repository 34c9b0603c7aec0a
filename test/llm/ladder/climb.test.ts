import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { interpret } from '#llm'
import { until } from '../../support/until.ts'
import { type LadderGateway, openLadderGateway } from './support.ts'

let on: LadderGateway

beforeAll(async () => {
  on = await openLadderGateway()
})
afterAll(() => on.close())

const rungs = ['deepseek/cheap', 'openai/middle', 'openai/dear'].map((model) => ({ model, retries: 1 }))
const good = { rungs, judges: [{ kind: 'regex', pattern: '^good' }] }
const models = () => on.asked.map(({ model }) => model)

describe('a call on a ladder', () => {
  test('is answered by the cheapest that is good enough', async () => {
    await on.ladder(good, { cheap: ['good and cheap'], middle: ['good'] })
    const { said, headers, status } = await on.say('Hi')
    expect([status, said]).toEqual([200, 'good and cheap'])
    expect(models()).toEqual(['cheap'])
    expect(headers.get('sluice-model')).toBe('deepseek/cheap')
    expect(headers.get('sluice-route')).toBe('climbing')
  })

  test('goes up while the judge objects, and its story can be read', async () => {
    await on.ladder(good, { cheap: ['bad'], middle: ['worse'], dear: ['good at last'] })
    const { said, headers } = await on.say('Hi')
    expect(said).toBe('good at last')
    expect(models()).toEqual(['cheap', 'middle', 'dear'])
    const { json } = await on.admin('GET', `/api/climbs/${headers.get('sluice-ladder')}`)
    expect(json).toMatchObject({
      outcome: 'rung',
      route: 'climbing',
      exchange_id: headers.get('sluice-exchange'),
    })
    const steps: { model: string; verdict: string; reason: string | null }[] = json.steps
    expect(steps.map(({ verdict, reason }) => [verdict, reason])).toEqual([
      ['rejected', 'it does not match the pattern'],
      ['rejected', 'it does not match the pattern'],
      ['accepted', null],
    ])
  })

  test('is one conversation whose rungs have the cost, and the call itself none', async () => {
    const priced = ['deepseek/deepseek-chat', 'openai/gpt-5-mini'].map((model) => ({ model }))
    await on.ladder({ ...good, rungs: priced }, { 'deepseek-chat': ['bad'], 'gpt-5-mini': ['good'] })
    const { response, headers } = await on.say('Hi')
    const { json } = await on.admin('GET', `/api/climbs/${headers.get('sluice-ladder')}`)
    const records = await Promise.all(
      json.steps.map((step: { exchange_id: string }) => on.gateway.record(step.exchange_id)),
    )
    const costs = records.map((record) => interpret(record).cost?.micros ?? 0)
    expect(costs.every((cost) => cost > 0)).toBe(true)
    expect(json.cost_micros).toBe(costs.reduce((sum, cost) => sum + cost, 0))
    const names = records.map((record) => interpret(record).session?.session)
    expect(names).toEqual([`ladder-${json.id}`, `ladder-${json.id}`])
    expect(records[0].open.tags).toEqual(['ladder', `ladder:${json.id}`])
    const own = await on.gateway.record(response)
    expect(interpret(own)).toMatchObject({ usage: null, cost: { micros: 0, price_version: 'ladder' } })
    expect(own.end.routed).toMatchObject({ route: 'climbing', provider: 'ladder', climb: json.id })
  })

  test('tries the same rung again where the machinery fails', async () => {
    await on.ladder(good, { cheap: [529, 'good'] })
    expect((await on.say('Hi')).said).toBe('good')
    expect(models()).toEqual(['cheap', 'cheap'])
  })

  test('never goes up because machinery fails', async () => {
    await on.ladder(good, { cheap: [500], middle: ['good'] })
    const { status, json } = await on.say('Hi')
    expect(status).toBe(503)
    expect(json).toMatchObject({
      type: 'error',
      error: { message: expect.stringContaining('deepseek/cheap') },
    })
    expect(models()).toEqual(['cheap', 'cheap'])
  })

  test('gets the answer of a provider that refuses the request', async () => {
    await on.ladder(good, { cheap: [400], middle: ['good'] })
    const { status, json } = await on.say('Hi')
    expect([status, json.type]).toEqual([400, 'error'])
    expect(models()).toEqual(['cheap'])
  })

  test('gets a stream where it asks for one, in its own dialect', async () => {
    await on.ladder(good, { cheap: ['bad'], middle: ['good stream'] })
    const anthropic = await on.say('Hi', { stream: true })
    expect(anthropic.headers.get('content-type')).toContain('text/event-stream')
    expect(anthropic.text).toContain('event: message_stop')
    expect(anthropic.text).toContain('good stream')
    expect(anthropic.text).not.toContain('bad')
    const openai = await on.say('Hi', { stream: true, path: '/v1/chat/completions' })
    expect(openai.text).toContain('data: [DONE]')
  })

  test('ends when the client leaves, and so does its rung', async () => {
    await on.ladder(good, { cheap: ['never'] })
    const leaving = new AbortController()
    const body = JSON.stringify({ model: 'any', max_tokens: 9, messages: [{ role: 'user', content: 'Bye' }] })
    const call = fetch(`${on.gateway.url}/v1/messages`, { method: 'POST', body, signal: leaving.signal })
    await until('the rung', () => on.asked.length > 0)
    leaving.abort()
    await call.catch(() => {})
    await until('no call under way', () => on.gateway.underWay() === 0)
    const outcome = async () => await on.database.sql`select outcome from climbs order by id desc limit 1`
    await until('the story', async () => (await outcome())[0]?.outcome === 'failed')
    expect(models()).toEqual(['cheap'])
  })

  test('that nobody answers well is told so, and where its story is', async () => {
    await on.ladder(good, { cheap: ['bad'], middle: ['bad'], dear: ['bad'] })
    const { status, json } = await on.say('Hi', { path: '/v1/chat/completions' })
    expect(status).toBe(424)
    const id = /\/api\/climbs\/([\w-]+)/.exec(json.error.message)?.[1]
    expect((await on.admin('GET', `/api/climbs/${id}`)).json).toMatchObject({
      outcome: 'exhausted',
      steps: { length: 3 },
    })
  })
})

describe('a judge', () => {
  test('checks by JSON schema', async () => {
    const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }
    await on.ladder(
      { rungs, judges: [{ kind: 'schema', schema }] },
      { cheap: ['{"n": "one"}'], middle: ['no JSON'], dear: ['```json\n{"n": 1}\n```'] },
    )
    expect((await on.say('Hi')).headers.get('sluice-model')).toBe('openai/dear')
  })

  test('checks by the call of a tool', async () => {
    const schema = { type: 'object', properties: { passed: { const: true } }, required: ['passed'] }
    const tools = [{ name: 'report', input_schema: { type: 'object' } }]
    await on.ladder(
      { rungs, judges: [{ kind: 'tool', name: 'report', schema }] },
      {
        ...{
          cheap: ['words'],
          middle: ['call report {"passed":false}'],
          dear: ['call report {"passed":true}'],
        },
      },
    )
    const { headers, json } = await on.say('Hi', { tools })
    expect(headers.get('sluice-model')).toBe('openai/dear')
    expect(json.content[0]).toMatchObject({ type: 'tool_use', name: 'report', input: { passed: true } })
  })

  test('may be a model, which sees question and answer, and is paid for', async () => {
    const judges = [{ kind: 'model', model: 'openai/gpt-5-mini', criteria: 'It is kind.', threshold: 0.6 }]
    await on.ladder(
      { rungs, judges },
      {
        ...{ cheap: ['rude'], middle: ['kind'] },
        'gpt-5-mini': ['{"score": 0.2, "reason": "rude"}', 'what?', '{"score": 0.9, "reason": "kind"}'],
      },
    )
    const { said, headers } = await on.say('Be kind')
    expect(said).toBe('kind')
    const prompt = on.asked.find(({ model }) => model === 'gpt-5-mini')?.prompt ?? ''
    for (const part of ['It is kind.', 'Be kind', 'rude']) expect(prompt).toContain(part)
    const { json } = await on.admin('GET', `/api/climbs/${headers.get('sluice-ladder')}`)
    expect(json.steps[0].reason).toBe('openai/gpt-5-mini gives it 0.2, below 0.6')
    expect(json.cost_micros).toBeGreaterThan(0)
  })

  test('that cannot be asked ends the climb, as it is no verdict', async () => {
    const judges = [{ kind: 'model', model: 'openai/judge', criteria: 'It is kind.' }]
    await on.ladder({ rungs, judges }, { cheap: ['kind'], judge: [500] })
    expect((await on.say('Hi')).status).toBe(503)
    expect(models()).not.toContain('middle')
  })
})

test('a ladder has at most three rungs, and stands instead of candidates', async () => {
  const judges = [{ kind: 'regex', pattern: 'x' }]
  const put = (body: unknown) => on.admin('PUT', '/api/routes/other', body)
  expect((await put({ ladder: { judges, rungs: [...rungs, rungs[0]] } })).status).toBe(422)
  expect((await put({ ladder: { judges }, candidates: [{ provider: 'openai' }] })).status).toBe(422)
  expect((await put({ ladder: { judges: [{ kind: 'regex', pattern: '(' }] } })).status).toBe(422)
  const { status, json } = await put({ ladder: { judges }, position: 900 })
  expect(status).toBeLessThan(300)
  expect(json.ladder.rungs.length).toBe(3)
})
