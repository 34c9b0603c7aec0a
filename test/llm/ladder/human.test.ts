import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { until } from '../../support/until.ts'
import { type LadderGateway, openLadderGateway } from './support.ts'

let on: LadderGateway

beforeAll(async () => {
  on = await openLadderGateway()
})
afterAll(() => on.close())

const rungs = [{ model: 'deepseek/cheap', retries: 0 }]
const judges = [{ kind: 'regex', pattern: '^good' }]
const three = ['openai/a', 'openai/b', 'openai/c']
const bad = { cheap: ['bad'] }

async function waiting() {
  const { json } = await on.admin('GET', '/api/tasks?status=waiting')
  return json.items
}

describe('a consensus', () => {
  test('of k models is the answer, with its measure, and dissent is kept', async () => {
    await on.ladder(
      { rungs, judges, consensus: { models: three, k: 2 } },
      { ...bad, a: ['Paris'], b: ['Lyon'], c: ['paris!'] },
    )
    const { said, headers } = await on.say('Where?')
    expect(said).toBe('Paris')
    const { json } = await on.admin('GET', `/api/climbs/${headers.get('sluice-ladder')}`)
    expect(json).toMatchObject({ outcome: 'consensus', consensus: { reached: true, needed: 2, by: 'words' } })
    expect(json.consensus.groups).toEqual([['openai/a', 'openai/c'], ['openai/b']])
    expect(
      json.steps.filter(({ exchange_id }: { exchange_id: string | null }) => exchange_id !== null).length,
    ).toBe(4)
  })

  test('is of those who were asked: who refuses does not agree', async () => {
    await on.ladder(
      { rungs, judges, consensus: { models: three } },
      { ...bad, a: ['Paris'], b: [400], c: [400] },
    )
    expect((await on.say('Where?')).status).toBe(424)
  })

  test('asks again whom the machinery kept from answering', async () => {
    await on.ladder(
      { rungs, judges, consensus: { models: three } },
      { ...bad, a: ['Paris'], b: [529, 'Paris'], c: [500, 'Lyon'] },
    )
    const { said, headers } = await on.say('Where?')
    expect(said).toBe('Paris')
    const { json } = await on.admin('GET', `/api/climbs/${headers.get('sluice-ladder')}`)
    const failed = json.steps.filter(({ verdict }: { verdict: string }) => verdict === 'failed')
    expect(failed.map(({ reason }: { reason: string }) => reason).toSorted()).toEqual([
      'HTTP 500',
      'HTTP 529',
    ])
  })

  test('that machinery prevents is nothing to ask a human about, unless those who answered could not agree', async () => {
    // 409: to be tried again, and nothing that opens the breaker of this provider for the tests to come.
    const consensus = { models: three, k: 2 }
    const human = { wait_seconds: 0 }
    await on.ladder({ rungs, judges, consensus, human }, { ...bad, a: ['Paris'], b: ['Lyon'], c: [409] })
    const prevented = await on.say('Where on earth?')
    expect([prevented.status, prevented.headers.get('sluice-task')]).toEqual([503, null])
    expect(prevented.json.error.message).toContain('openai/c')
    expect(prevented.headers.get('x-should-retry')).toBe('false')
    await on.ladder(
      { rungs, judges, consensus: { ...consensus, k: 3 }, human },
      { ...bad, a: ['Paris'], b: ['Lyon'], c: [409] },
    )
    const apart = await on.say('Where at all?')
    expect([apart.status, apart.headers.get('sluice-task') === null]).toEqual([424, false])
  })

  test('may be judged by a model', async () => {
    await on.ladder(
      { rungs, judges, consensus: { models: three, judge: 'openai/judge' } },
      {
        ...{
          ...bad,
          a: ['It is Paris'],
          b: ['Lyon'],
          c: ['Paris, of course'],
          judge: ['{"groups": [[0, 2], [1]]}'],
        },
      },
    )
    expect((await on.say('Where?')).said).toBe('It is Paris')
  })
})

describe('a human', () => {
  const human = { wait_seconds: 0, instructions: 'Ask Ann.' }

  test('is asked last, and who asked is told where, in the shape of the dialect', async () => {
    await on.ladder({ rungs, judges, human }, bad)
    const { status, json, headers } = await on.say('Why?')
    expect([status, json.type]).toEqual([424, 'error'])
    const id = headers.get('sluice-task')
    expect(json.error.message).toContain(`/api/tasks/${id}`)
    const task = await on.admin('GET', `/api/tasks/${id}`)
    expect(task.json).toMatchObject({
      status: 'waiting',
      tenant: 'acme',
      question: 'Why?',
      instructions: 'Ask Ann.',
      answer: null,
    })
    expect(task.json.proposals).toEqual([{ model: 'deepseek/cheap', text: 'bad' }])
    const climb = await on.admin('GET', `/api/climbs/${task.json.climb_id}`)
    expect(climb.json).toMatchObject({ outcome: 'waiting', task_id: id })
  })

  test('answers over the API, once, and whoever sends the request again gets it without a climb', async () => {
    await on.ladder({ rungs, judges, human }, bad)
    const first = await on.say('How?')
    const again = await on.say('How?')
    expect(again.headers.get('sluice-task')).toBe(first.headers.get('sluice-task'))
    expect(on.asked.length).toBe(1)
    const path = `/api/tasks/${first.headers.get('sluice-task')}/answer`
    expect((await on.admin('POST', path, { answer: '' })).status).toBe(422)
    const answered = await on.admin('POST', path, { answer: 'With care.' })
    expect(answered.json).toMatchObject({ status: 'answered', answer: 'With care.', answered_by: 'admin' })
    expect((await on.admin('POST', path, { answer: 'Or not.' })).status).toBe(409)
    const got = await on.say('How?')
    expect([got.status, got.said, got.headers.get('sluice-model')]).toEqual([200, 'With care.', 'human'])
    expect(on.asked.length).toBe(1)
  })

  test('is waited for, and answers a stream as a stream', async () => {
    await on.ladder({ rungs, judges, human: { wait_seconds: 30 } }, bad)
    const call = on.say('When?', { stream: true, path: '/v1/chat/completions' })
    await until('the task', async () =>
      (await waiting()).some(({ question }: { question: string }) => question === 'When?'),
    )
    const task = (await waiting()).find(({ question }: { question: string }) => question === 'When?')
    await on.admin('POST', `/api/tasks/${task.id}/answer`, { answer: 'On Monday.' })
    const { text, status } = await call
    expect(status).toBe(200)
    expect(text).toContain('On Monday.')
    expect(text).toContain('data: [DONE]')
  })
})

test('a human is not asked where no content may be stored', async () => {
  const hushed = await openLadderGateway({ caller: { capture: 'metadata' } })
  await hushed.ladder({ rungs, judges, human: { wait_seconds: 0 } }, bad)
  const { status, json } = await hushed.say('A secret?')
  expect([status, json.error.message.includes('records no content')]).toEqual([424, true])
  const [row] = await hushed.database.sql<{ count: number }[]>`select count(*)::int as count from human_tasks`
  expect(row?.count).toBe(0)
  const [story] = await hushed.database.sql<
    { steps: { reason: string | null }[] }[]
  >`select steps from climbs`
  expect(story?.steps.map(({ reason }) => reason)).toEqual([null])
  await hushed.close()
})
