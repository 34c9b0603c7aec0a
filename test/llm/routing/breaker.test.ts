import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { Breaker } from '../../../src/llm/routing/breaker.ts'
import { openHealth } from '../../../src/llm/routing/health.ts'
import { resetProvider } from '../../../src/llm/routing/queries.ts'
import { until } from '../../support/until.ts'
import type { Reply } from '../../support/upstream.ts'
import { type RoutedGateway, routedGateway, said } from './support.ts'

setDefaultTimeout(30_000)

describe('a breaker', () => {
  test('goes from closed to open, half-open, open for longer, half-open, closed', () => {
    let time = 0
    const breaker = new Breaker({ failures: 3, openMs: 1_000, now: () => time })
    const seen: string[] = []
    const look = () => seen.push(`${breaker.state} ${breaker.lets}`)
    for (let n = 0; n < 3; n += 1) breaker.failed('HTTP 500')
    look()
    time = 1_000
    look()
    breaker.enter()
    look()
    breaker.failed('HTTP 500')
    time = 2_500
    look()
    time = 3_000
    look()
    breaker.enter()
    breaker.succeeded()
    look()
    expect(seen).toEqual([
      'open false',
      'half-open true',
      'half-open false',
      'open false',
      'half-open true',
      'closed true',
    ])
  })

  test('counts failures in a row only', () => {
    const breaker = new Breaker({ failures: 2 })
    breaker.failed('x')
    breaker.succeeded()
    breaker.failed('x')
    expect(breaker.state).toBe('closed')
  })

  test('tries another call where the one that tried it ended without a word', () => {
    let time = 0
    const breaker = new Breaker({ failures: 1, openMs: 10, now: () => time })
    breaker.failed('x')
    time = 10
    breaker.enter()
    breaker.abandoned()
    expect(breaker.lets).toBe(true)
  })
})

test('one model that fails does not take the others of its provider with it', () => {
  const health = openHealth({ failures: 2 })
  for (let n = 0; n < 2; n += 1) {
    const bad = health.begin({ provider: 'p', model: 'bad' })
    bad.failed('HTTP 529')
    bad.end()
    const good = health.begin({ provider: 'p', model: 'good' })
    good.worked()
    good.end()
  }
  expect(health.closedTo({ provider: 'p', model: 'bad' })?.reason).toContain('HTTP 529')
  expect(health.closedTo({ provider: 'p', model: 'good' })).toBeNull()
})

describe('on the way of calls', () => {
  let gateway: RoutedGateway
  afterEach(() => gateway.stop())
  let broken = true
  const flaky = (reply: Reply) =>
    broken ? reply.answer(503, {}, '{}') : reply.answer(200, {}, '{"who":"one"}')
  const call = () => fetch(`${gateway.url}/v1/messages`, { method: 'POST', body: said })

  test('a candidate that fails is left alone, tried again after a while, and taken back', async () => {
    broken = true
    let time = Date.now()
    gateway = await routedGateway([flaky, flaky, (reply) => reply.answer(200, {}, '{"who":"two"}')], {
      breaker: { failures: 2, openMs: 60_000, now: () => time },
    })
    await gateway.route('pair', { candidates: [{ provider: 'one' }, { provider: 'two', priority: 1 }] })
    for (let n = 0; n < 4; n += 1) expect(await (await call()).json()).toEqual({ who: 'two' })
    expect(gateway.others[0]?.seen.length).toBe(2)
    const response = await call()
    const { attempts } = (await gateway.record(response)).end.routed ?? {}
    expect(attempts?.map(({ provider, error }) => [provider, error])).toEqual([
      ['one', 'breaker-open'],
      ['two', null],
    ])
    broken = false
    time += 60_000
    expect(await (await call()).json()).toEqual({ who: 'one' })
    expect(gateway.routing.health.view('one').breaker.state).toBe('closed')
  })

  test('where all are open: 503 with the reasons and a time to come back; an operator can reset it', async () => {
    broken = true
    gateway = await routedGateway([flaky, flaky], { breaker: { failures: 1, openMs: 60_000 } })
    await gateway.route('only', { candidates: [{ provider: 'one' }] })
    expect((await call()).status).toBe(503)
    const response = await call()
    expect(response.status).toBe(503)
    expect(Number(response.headers.get('retry-after'))).toBeWithin(50, 61)
    expect(await response.text()).toContain('one is open after HTTP 503')
    expect((await gateway.record(response)).end).toMatchObject({
      outcome: 'rejected',
      error: 'all-candidates-down',
    })
    expect(gateway.others[0]?.seen.length).toBe(1)
    await resetProvider(gateway.database.sql, 'one')
    await gateway.routing.refresh()
    broken = false
    expect((await call()).status).toBe(200)
  })

  test('the least busy of two gets the call', async () => {
    const held: Reply[] = []
    const hold = (reply: Reply) => void held.push(reply)
    gateway = await routedGateway([flaky, hold, hold])
    await gateway.route('even', {
      balance: 'least_busy',
      candidates: [{ provider: 'one' }, { provider: 'two' }],
    })
    const answers: Promise<Response>[] = []
    for (let n = 1; n <= 6; n += 1) {
      answers.push(call())
      const total = () => (gateway.others[0]?.seen.length ?? 0) + (gateway.others[1]?.seen.length ?? 0)
      await until('one of them has it', () => total() === n)
    }
    expect(gateway.others.map(({ seen }) => seen.length)).toEqual([3, 3])
    for (const reply of held) void reply.answer(200, {}, '{}')
    await Promise.all(answers)
    expect(gateway.routing.health.view('one').busy).toBe(0)
  })
})
