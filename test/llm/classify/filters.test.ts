import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { interpret, openClassification } from '#llm'
import { unclassified } from '../../../src/capture/storing/classes.ts'
import { type Fixture, itemsOf, openFixture } from '../../capture/reading-support.ts'
import { handlerOn, quiet, stored } from '../../capture/store-support.ts'
import { said } from './support.ts'

describe('the classes in the API', () => {
  let fixture: Fixture
  let ids: { bug: string; translation: string; other: string }
  beforeAll(async () => {
    fixture = await openFixture()
    const { sql } = fixture.database
    const handler = handlerOn(sql, { interpret })
    const bug = said('Fix the bug in the React component src/a.tsx', '```tsx\nfix()\n```', { tenant: 'a' })
    const translation = said('Translate "hello" into French', 'Bonjour', { tenant: 'a' })
    const other = said('Translate "hello" into French', 'Bonjour', { tenant: 'b' })
    await stored(handler, [bug, translation, other])
    ids = { bug: bug.open.id, translation: translation.open.id, other: other.open.id }
    const { classify } = openClassification({
      ...{ sql, interpret, log: quiet, perMinute: 100, providers: {}, gatewayUrl: 'http://127.0.0.1:9' },
    })
    const signal = new AbortController().signal
    expect(await classify(await unclassified(sql, Object.values(ids)), { signal })).toMatchObject({
      classified: 3,
    })
    await handler.close()
  })
  afterAll(() => fixture.release())

  const found = async (query: string) =>
    itemsOf<{ id: string }>(await fixture.ask(`/api/exchanges?${query}`)).map(({ id }) => id)

  test('narrow the list of exchanges, alone and together, and keep to the tenant', async () => {
    expect(await found('task_type=translation')).toEqual([ids.translation])
    expect(await found('domain=frontend')).toEqual([ids.bug])
    expect(await found('language=typescript&stack=react')).toEqual([ids.bug])
    expect(await found('stack=vue')).toEqual([])
    expect(await found('sensitivity=public')).toEqual([ids.translation])
    expect(await found('task_type=debugging&model=mock&since=2020-01-01')).toEqual([ids.bug])
    expect(await found('complexity=high')).toEqual([])
  })

  test('are shown with each exchange', async () => {
    const one = await fixture.ask(`/api/exchanges/${ids.bug}`)
    expect(one.json).toMatchObject({
      classes: { task_type: 'debugging', domain: 'frontend', stack: ['react'], source: 'rules' },
      cache: null,
    })
  })

  test('a word that is no class is refused with the ones that are', async () => {
    const answer = await fixture.ask('/api/exchanges?task_type=cooking')
    expect(answer.status).toBe(400)
    expect(answer.text).toContain('must be one of code_generation')
  })

  test('narrow an export, too', async () => {
    const answer = await fixture.ask('/api/export?task_type=translation')
    expect(
      answer.text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).id),
    ).toEqual([ids.translation])
  })
})
