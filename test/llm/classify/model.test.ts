import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { openInternalKeys } from '#access'
import { interpret, openClassification, openMock, openProviders, ownCallsOver } from '#llm'
import { unclassified } from '../../../src/capture/storing/classes.ts'
import { openAdapters } from '../../../src/llm/adapters/factory.ts'
import { memoryStore } from '../../../src/llm/cache/memory-store.ts'
import { type AskTool, askTool, toolOf } from '../../../src/llm/classify/ask-tool.ts'
import { type ModelAccess, openClassifier } from '../../../src/llm/classify/classifier.ts'
import { askModel, modelOpinion } from '../../../src/llm/classify/model.ts'
import { subjectOf } from '../../../src/llm/classify/subject.ts'
import { openTurns } from '../../../src/llm/classify/turns.ts'
import { handlerOn, quiet, stored } from '../../capture/store-support.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { type ClassRow, said } from './support.ts'

const signal = new AbortController().signal
const subject = subjectOf({
  history: [{ role: 'user', text: 'Translate "hello" into French', digest: '' }],
  reply: { role: 'assistant', text: 'Bonjour', digest: '' },
})
const opinion = {
  ...{ task_type: 'planning', complexity: 'high', language: 'Rust', stack: ['Next.js', 'AWS'] },
  ...{ domain: 'legal', sensitivity: 'public', title: ' A plan ' },
}

describe('a model asked in its own dialect', () => {
  let mock: Awaited<ReturnType<typeof openMock>>
  const adapters = openAdapters({ providers: openProviders({}) })
  beforeAll(async () => {
    mock = await openMock()
  })
  afterAll(() => mock.close())

  for (const dialect of ['anthropic', 'openai-chat', 'openai-responses', 'gemini'])
    test(`${dialect}: is made to call the tool, and its answer fits`, async () => {
      const paths: string[] = []
      const calls = (tenant: string) => async (request: Request) => {
        expect(tenant).toBe('acme')
        const { pathname } = new URL(request.url)
        paths.push(pathname)
        return await fetch(mock.url + pathname, { method: 'POST', body: await request.text() })
      }
      const ask = askTool((tenant) =>
        adapters.create({ provider: 'mock', model: 'mock', dialect }, calls(tenant)),
      )
      const found = await askModel(ask, { subject, tenant: 'acme', signal })
      expect(found).toMatchObject({ task_type: 'code_generation', complexity: 'low', sensitivity: 'public' })
      expect(paths).toHaveLength(1)
      expect(paths[0]).toStartWith('/p/mock/v1')
    })

  test('a provider that is busy is asked once more, and no oftener', async () => {
    let asked = 0
    const calls = () => async () => {
      asked += 1
      return new Response('{}', { status: 529, headers: { 'retry-after': '0' } })
    }
    const ask = askTool(() => adapters.create({ provider: 'mock', model: 'mock' }, calls()))
    await expect(askModel(ask, { subject, tenant: 'acme', signal })).rejects.toMatchObject({ status: 529 })
    await askModel(ask, { subject, tenant: 'acme', signal }).catch(() => {})
    expect(asked).toBe(4)
  })
})

describe('the answer of a model', () => {
  const answers = (...given: unknown[]): AskTool => {
    return async () => {
      const answer = given.shift()
      if (answer instanceof Error) throw answer
      return answer
    }
  }
  const ask = (...given: unknown[]) => askModel(answers(...given), { subject, tenant: 'acme', signal })

  test('is understood where only its spelling is off', async () => {
    expect(await ask(opinion)).toMatchObject({ language: 'rust', stack: ['next.js', 'aws'], title: 'A plan' })
    expect(await ask({ ...opinion, language: 'None', stack: null, title: '' })).toMatchObject({
      ...{ language: null, stack: [], title: null },
    })
  })

  test('is asked for once more where it does not fit, then given up', async () => {
    expect((await ask({ ...opinion, domain: 'cooking' }, opinion)).domain).toBe('legal')
    await expect(ask(undefined, { task_type: 'x' })).rejects.toThrow('classify: task_type')
    await expect(ask(Object.assign(new Error('no'), { status: 401 }), opinion)).rejects.toThrow('no')
  })

  test('its schema names every class', () => {
    const { schema } = toolOf('classify', '', modelOpinion)
    expect(schema.required).toEqual([
      'task_type',
      'complexity',
      'language',
      'stack',
      'domain',
      'sensitivity',
      'title',
    ])
  })
})

describe('a classifier with a model', () => {
  const about = { tenant: 'acme', provider: 'openai', signal }
  const access = (changes: Partial<ModelAccess> = {}): ModelAccess & { asked: number } => {
    const model = {
      ...{
        name: 'some/model',
        asked: 0,
        own: false,
        isOwn: (provider: string | null) => provider === 'vllm',
      },
      turn: async () => true,
      ask: async () => {
        model.asked += 1
        return modelOpinion.parse({ ...opinion, language: null, stack: [] })
      },
      ...changes,
    }
    return model
  }
  const classifier = (model: ModelAccess) =>
    openClassifier({ log: quiet, cache: memoryStore({ maxBytes: 1e6 }), model })
  const about1 = (text: string) => subjectOf({ history: [{ role: 'user', text, digest: '' }], reply: null })

  test('asks once for the same words, of one tenant', async () => {
    const model = access()
    const { classify } = classifier(model)
    const found = await classify(subject, about)
    expect(found).toMatchObject({ source: 'some/model', title: 'A plan', classes: { domain: 'legal' } })
    expect(await classify(subject, about)).toEqual(found)
    expect(model.asked).toBe(1)
    await classify(subject, { ...about, tenant: 'other' })
    expect(model.asked).toBe(2)
  })

  test('does not show it secrets, personal data, or what stayed on own machines', async () => {
    const model = access()
    const { classify } = classifier(model)
    const secret = await classify(about1(`Use AKIA${'A'.repeat(16)} for it`), about)
    expect(secret).toMatchObject({ source: 'rules', classes: { sensitivity: 'critical' } })
    expect(await classify(about1('Write to jane.doe@acme-corp.io'), about)).toMatchObject({ source: 'rules' })
    expect(await classify(subject, { ...about, provider: 'vllm' })).toMatchObject({ source: 'rules' })
    expect(model.asked).toBe(0)
  })

  test('an own model may see everything, and cannot talk a secret away', async () => {
    const { classify } = classifier(access({ own: true }))
    const found = await classify(about1(`Use AKIA${'A'.repeat(16)} for it`), about)
    expect(found).toMatchObject({
      source: 'some/model',
      classes: { sensitivity: 'critical', domain: 'legal' },
    })
  })

  test('without a turn, or while the model fails, the rules have the word', async () => {
    const full = classifier(access({ turn: async () => false }))
    expect(await full.classify(subject, about)).toMatchObject({ source: 'rules' })
    let asked = 0
    const failing = classifier(
      access({
        ask: async () => {
          asked += 1
          throw new Error('no')
        },
      }),
    )
    for (let n = 0; n < 6; n++)
      expect(await failing.classify(subject, about)).toMatchObject({ source: 'rules' })
    expect(asked).toBe(3)
  })

  test('has so many turns a minute, a few at once', async () => {
    const turn = openTurns(60)
    const given: boolean[] = []
    for (let n = 0; n < 15; n++) given.push(await turn(false, signal))
    expect(given.filter(Boolean).length).toBe(10)
    const began = performance.now()
    expect(await openTurnsAfter(1, 600)(true, signal)).toBe(true)
    expect(performance.now() - began).toBeLessThan(5_000)
  })

  function openTurnsAfter(taken: number, perMinute: number) {
    const turn = openTurns(perMinute)
    for (let n = 0; n < taken + 9; n++) void turn(false, signal)
    return turn
  }
})

describe('calls of our own', () => {
  let database: TestDatabase
  beforeEach(async () => {
    database = await testDatabase()
  })
  afterEach(() => database.drop())

  test('carry a key of the tenant that they are about, tagged, without content, revoked at the end', async () => {
    const seen: (string | null)[] = []
    using gateway = Bun.serve({
      ...{ port: 0, hostname: '127.0.0.1' },
      fetch(request) {
        seen.push(request.headers.get('authorization'), request.headers.get('x-api-key'))
        // As a gateway that has not heard of the key yet.
        return seen.length < 4 ? new Response('', { status: 401 }) : Response.json({ ok: true })
      },
    })
    await database.sql`insert into tenants (id, name) values ('acme', 'Acme')`
    const keys = openInternalKeys(database.sql, 'classification')
    const send = ownCallsOver({ gatewayUrl: gateway.url.href.replace(/\/$/, ''), keys })('acme')
    const headers = { 'x-api-key': 'replaced' }
    const answer = await send(
      new Request('http://sluice.internal/p/x/v1/messages', { method: 'POST', body: '{}', headers }),
    )
    expect(await answer.json()).toEqual({ ok: true })
    expect(seen[0]).toStartWith('Bearer sk-sluice-')
    expect(seen[1]).toBeNull()
    const stored = () =>
      database.sql`select tenant, scopes, capture, tags, revoked_at is not null as revoked from access_keys`
    const key = { tenant: 'acme', scopes: ['call'], capture: 'metadata', tags: ['sluice-internal'] }
    expect([...(await stored())]).toMatchObject([{ ...key, revoked: false }])
    await keys.close()
    expect([...(await stored())]).toMatchObject([{ ...key, revoked: true }])
  })

  test('a stored exchange is classified by the model through the gateway', async () => {
    const mock = await openMock()
    const logging = handlerOn(database.sql, { interpret })
    const one = said('Translate "hello" into French', 'Bonjour')
    await stored(logging, [one])
    const { classify, close } = openClassification({
      ...{ sql: database.sql, interpret, log: quiet, perMinute: 100, providers: {} },
      ...{ model: 'mock/mock', gatewayUrl: mock.url },
    })
    await classify(await unclassified(database.sql, [one.open.id]), { signal })
    const [row] = await database.sql<ClassRow[]>`select * from exchange_classes`
    expect(row).toMatchObject({ source: 'mock/mock', task_type: 'code_generation' })
    await close()
    await logging.close()
    await mock.close()
  })
})
