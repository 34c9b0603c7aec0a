import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { type Fact, factsOf, saidFacts } from '../../../src/llm/routing/facts.ts'
import { underPolicy } from '../../../src/llm/routing/policy.ts'
import type { Reply } from '../../support/upstream.ts'
import { type RoutedGateway, routedGateway } from './support.ts'

setDefaultTimeout(30_000)

let gateway: RoutedGateway | null = null
afterEach(async () => {
  await gateway?.stop()
  gateway = null
})

const ok = (name: string) => (reply: Reply) => reply.answer(200, {}, `{"who":"${name}"}`)

function question(content: string): string {
  return JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 9, messages: [{ role: 'user', content }] })
}

const secret = 'Why is password = "hunter2-is-mine" not accepted?'
const harmless = 'What is the capital of France?'

async function who(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  const response = await fetch(`${gateway?.url}/v1/messages`, { method: 'POST', body, headers })
  return { status: response.status, json: (await response.json()) as Record<string, unknown> }
}

describe('what a call is about', () => {
  const about = (text: string, headers = new Headers(), trusted = false) =>
    factsOf(
      { headers, trusted },
      { dialect: 'anthropic', path: '/v1/messages', body: Buffer.from(question(text)) },
    )

  test('is found by the local rules where the client says nothing', () => {
    const facts = about(`${secret} Debug this: TypeError in src/a.ts`)
    expect(facts('sensitivity')).toEqual({ values: ['critical'], by: 'rules' })
    expect(facts('task_type')).toEqual({ values: ['debugging'], by: 'rules' })
    expect(facts('no-such-class')).toEqual({ values: [], by: null })
  })

  test('is what a trusted client says, name by name; a word that is no sensitivity says nothing', () => {
    const headers = new Headers({ 'sluice-class': 'task_type=planning', 'sluice-sensitivity': 'Public' })
    const facts = about(secret, headers, true)
    expect(facts('sensitivity')).toEqual({ values: ['public'], by: 'header' })
    expect(facts('task_type', true)).toEqual({ values: ['planning'], by: 'header' })
    expect(facts('complexity')).toEqual({ values: ['low'], by: 'rules' })
    expect(saidFacts({ headers, trusted: true })('complexity')).toBeUndefined()
    expect(saidFacts({ headers, trusted: true })('sensitivity')?.values).toEqual(['public'])
    headers.set('sluice-sensitivity', 'open')
    expect(facts('sensitivity')).toEqual({ values: ['critical'], by: 'rules' })
  })

  test('is never less sensitive than it looks, whatever a client says, and more where it says so', () => {
    const said = (word: string) => new Headers({ 'sluice-sensitivity': word })
    const table = ['public', 'internal', 'sensitive', 'critical'].map((word) => [
      about(secret, said(word))('sensitivity'),
      about(harmless, said(word))('sensitivity'),
      saidFacts({ headers: said(word), trusted: false })('sensitivity')?.values[0],
    ])
    const found: Fact = { values: ['critical'], by: 'rules' }
    expect(table).toEqual([
      [found, { values: ['public'], by: 'rules' }, undefined],
      [found, { values: ['internal'], by: 'header' }, undefined],
      [found, { values: ['sensitive'], by: 'header' }, undefined],
      [{ values: ['critical'], by: 'header' }, { values: ['critical'], by: 'header' }, 'critical'],
    ])
  })

  test('can be claimed before a rule that keeps things in, but not denied', () => {
    const headers = new Headers({ 'sluice-class': 'task_type=planning' })
    const facts = about('Debug this: TypeError in src/a.ts', headers)
    expect(facts('task_type')).toEqual({ values: ['planning'], by: 'header' })
    expect(facts('task_type', true)).toEqual({ values: ['planning', 'debugging'], by: 'both' })
    expect(saidFacts({ headers, trusted: false })('task_type', true)).toBeUndefined()
  })

  test('is read from what is embedded too, and from packed bodies; unknown where nobody can read it', () => {
    const input = Buffer.from(JSON.stringify({ model: 'e', input: 'password: "correct-horse-staple"' }))
    const of = (body: Uint8Array, encoding?: string) =>
      factsOf(
        {
          headers: new Headers({
            'sluice-sensitivity': 'public',
            ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
          }),
          trusted: false,
        },
        { dialect: 'openai-embeddings', path: '/v1/embeddings', body },
      )('sensitivity')
    expect(of(input)?.values).toEqual(['critical'])
    expect(of(gzipSync(input), 'gzip')?.values).toEqual(['critical'])
    expect(of(input, 'gzip')).toEqual({ values: [], by: null })
    expect(of(Buffer.from('password: "correct-horse-staple"'))).toEqual({ values: [], by: null })
  })

  test('where nobody can read it, a word makes it no less than critical, and still finds its rules', () => {
    const headers = new Headers({ 'sluice-sensitivity': 'sensitive', 'sluice-class': 'task_type=debugging' })
    const saying = { headers, trusted: false }
    const facts = factsOf(saying, { dialect: 'anthropic', path: '/v1/messages', body: Buffer.from('{') })
    expect(facts('sensitivity')).toEqual({ values: ['critical', 'sensitive'], by: 'both' })
    expect(facts('task_type', true)).toEqual({ values: ['debugging'], by: 'header' })
  })
})

test('rules match on what the request itself says, before it is sent anywhere', async () => {
  gateway = await routedGateway([ok('native'), ok('one'), ok('two')])
  await gateway.route('inside', { match: { sensitivity: ['critical'] }, candidates: [{ provider: 'one' }] })
  await gateway.route(
    'bugs',
    { match: { classes: { task_type: ['debugging'] } }, candidates: [{ provider: 'two' }] },
    200,
  )
  expect((await who(question(secret))).json).toEqual({ who: 'one' })
  expect((await who(question('Debug this: TypeError in src/a.ts'))).json).toEqual({ who: 'two' })
  expect((await who(question(harmless))).json).toEqual({ who: 'native' })
  expect((await who(question(harmless), { 'sluice-sensitivity': 'critical' })).json).toEqual({ who: 'one' })
  expect((await who(question(secret), { 'sluice-sensitivity': 'public' })).json).toEqual({ who: 'one' })
  const explained = await who(question(secret), { 'sluice-dry-run': '1' })
  expect(explained.json).toMatchObject({
    route: 'inside',
    facts: { sensitivity: { values: ['critical'], by: 'rules' } },
  })
})

test('a key with the scope `label` is believed, and no other', async () => {
  const route = { policy: 'default_local_first', candidates: [{ provider: 'one' }] }
  const classes = {
    ...route,
    match: { classes: { task_type: ['debugging'] } },
    policy: 'compliance_local_only',
  }
  const headers = { 'sluice-sensitivity': 'public', 'sluice-class': 'task_type=planning' }
  for (const [scopes, status] of [
    [['call'], 403],
    [['call', 'label'], 200],
    [['admin'], 200],
  ] as const) {
    gateway = await routedGateway([ok('native'), ok('one')], { caller: { scopes: new Set(scopes) } })
    await gateway.route('kept', route)
    expect([scopes, (await who(question(secret), headers)).status]).toEqual([scopes, status])
    await gateway.route('kept', classes)
    const debugging = question('Debug this: TypeError in src/a.ts')
    expect([scopes, (await who(debugging, headers)).status]).toEqual([scopes, status])
    await gateway.stop()
    gateway = null
  }
})

test('a policy keeps a call on own machines by its sensitivity, and says so where nobody is left', async () => {
  gateway = await routedGateway([ok('native'), ok('one'), ok('two')])
  await gateway.database.sql`update providers set local = true where name = 'two'`
  const route = { policy: 'enterprise_residency', candidates: [{ provider: 'one' }, { provider: 'two' }] }
  await gateway.route('kept', route)
  expect((await who(question(secret))).json).toEqual({ who: 'two' })
  await gateway.route('kept', { ...route, candidates: [{ provider: 'one' }] })
  expect((await who(question(harmless))).json).toEqual({ who: 'one' })
  const refused = await who(question(secret))
  expect(refused.status).toBe(403)
  expect(JSON.stringify(refused.json)).toContain('The call is critical: the policy enterprise_residency')
})

test('each policy lets go what it may, own machines first; the unknown counts as critical', () => {
  const both = [{ provider: 'cloud' }, { provider: 'home' }]
  const isLocal = (name: string) => name === 'home'
  const names = (policy: Parameters<typeof underPolicy>[1]['policy'], word?: string) =>
    underPolicy(both, {
      policy,
      sensitivity: { values: word === undefined ? [] : [word], by: null },
      isLocal,
    }).map(({ provider }) => provider)
  const table = ['public', 'internal', 'sensitive', 'critical', undefined].map((word) => [
    names('default_local_first', word).length,
    names('enterprise_residency', word).length,
    names('compliance_local_only', word).length,
  ])
  expect(table).toEqual([
    [2, 2, 1],
    [2, 1, 1],
    [1, 1, 1],
    [1, 1, 1],
    [1, 1, 1],
  ])
  expect(names('default_local_first', 'public')).toEqual(['home', 'cloud'])
})
