import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { openStore } from '#store'
import { temporaryFolder } from '../../support/folder.ts'
import { openGate } from '../../support/gate.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { until } from '../../support/until.ts'
import { actualOf, callOf, plantBudget, plantPrice, quiet, standing, testMoney, tried } from './support.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase()
  await plantPrice(database.sql)
})

afterAll(() => database.drop())

/** A way to the database that can be shut. */
function behindGate() {
  const url = new URL(database.url)
  const gate = openGate(Number(url.port))
  url.port = String(gate.port)
  return { gate, store: openStore(url.href, { max: 2 }) }
}

async function withBudget(row: Parameters<typeof plantBudget>[1], tenant: string) {
  const budget = await plantBudget(database.sql, { ...row, scope: 'tenant', subject: tenant })
  const money = await testMoney(database.sql)
  return { budget, money, call: (output: number) => callOf(output, { tenant }) }
}

describe('M3: a budget', () => {
  test('of 7 calls lets 7 of 20 parallel calls pass, and not one more', async () => {
    const { money, call, budget } = await withBudget({ limit_micros: 700_000 }, 'parallel')
    const answers = await Promise.all(Array.from({ length: 20 }, () => tried(money, call(100))))
    const passed = answers.filter((answer) => typeof answer !== 'string')
    expect(passed.length).toBe(7)
    expect(answers.filter((answer) => answer === 'budget-exhausted').length).toBe(13)
    for (const admission of passed) expect(admission.settle(actualOf(100))).toBe(100_000)
    await money.close()
    expect(await standing(database.sql, budget)).toEqual({ spent: 700_000, held: 0 })
  })

  test('shared by two gateways is as exact', async () => {
    const { money, call, budget } = await withBudget({ limit_micros: 1_100_000 }, 'shared')
    const other = await testMoney(database.sql)
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => tried(index % 2 === 0 ? money : other, call(100))),
    )
    expect(answers.filter((answer) => typeof answer !== 'string').length).toBe(11)
    for (const answer of answers) if (typeof answer !== 'string') answer.settle(actualOf(100))
    await Promise.all([money.close(), other.close()])
    expect(await standing(database.sql, budget)).toEqual({ spent: 1_100_000, held: 0 })
  })

  test('refuses an oversized call, and lets a smaller one behind it pass', async () => {
    const { money, call } = await withBudget({ limit_micros: 500_000 }, 'oversized')
    expect(await tried(money, call(501))).toBe('budget-exhausted')
    expect(typeof (await tried(money, call(500)))).toBe('object')
    expect(await tried(money, call(1))).toBe('budget-exhausted')
    await money.close()
  })

  test('gets back what a call did not use, and goes over by no more than a call cost more than it reserved', async () => {
    const { money, call, budget } = await withBudget({ limit_micros: 500_000 }, 'settled')
    const first = await tried(money, call(500))
    if (typeof first === 'string') throw new Error(first)
    expect(first.settle(actualOf(20))).toBe(20_000)
    expect(first.settle(actualOf(500))).toBe(20_000)
    const second = await tried(money, call(480))
    if (typeof second === 'string') throw new Error(second)
    second.settle(actualOf(600))
    expect(await tried(money, call(1))).toBe('budget-exhausted')
    await money.close()
    expect(await standing(database.sql, budget)).toEqual({ spent: 620_000, held: 0 })
  })

  test('finds what another gateway leased ahead and left idle', async () => {
    const { money, call } = await withBudget({ limit_micros: 1_000_000 }, 'idle')
    const other = await testMoney(database.sql)
    const used = await tried(other, call(100))
    if (typeof used === 'string') throw new Error(used)
    used.settle(actualOf(0))
    const answers = await Promise.all(Array.from({ length: 10 }, () => tried(money, call(100))))
    expect(answers.filter((answer) => typeof answer !== 'string').length).toBe(10)
    await Promise.all([money.close(), other.close()])
  })

  test('holds over a restart, and gives the lease of a gateway that died back when it has run out', async () => {
    const { money, call, budget } = await withBudget({ limit_micros: 500_000 }, 'restart')
    const settled = await tried(money, call(200))
    if (typeof settled === 'string') throw new Error(settled)
    settled.settle(actualOf(200))
    await money.close()
    // Dies with a call under way: nothing of it is ever told.
    const { gate, store } = behindGate()
    const dying = await testMoney(store.sql)
    expect(typeof (await tried(dying, call(250)))).toBe('object')
    gate.shut()
    const heir = await testMoney(database.sql)
    expect(await tried(heir, call(100))).toBe('budget-exhausted')
    await database.sql`update budget_leases set expires_at = now() where held_micros >= 250000`
    await until('the lease is free', async () => typeof (await tried(heir, call(300))) === 'object')
    expect(await tried(heir, call(1))).toBe('budget-exhausted')
    await heir.close()
    expect((await standing(database.sql, budget)).spent).toBe(200_000)
    await dying.close()
    await store.close()
    gate.close()
  })
})

describe('M3: while the database is down, a budget', () => {
  test('that is closed goes on with its lease and then refuses; one that is open lets pass and counts later', async () => {
    const { gate, store } = behindGate()
    const { sql } = database
    const closed = await plantBudget(sql, { limit_micros: 10_000_000, subject: 'shut' })
    const open = await plantBudget(sql, { limit_micros: 500_000, subject: 'ajar', on_outage: 'open' })
    const money = await testMoney(store.sql)
    const shut = (output: number) => tried(money, callOf(output, { tenant: 'shut' }))
    expect(await shut(10)).toBeObject()
    gate.shut()
    let passed = 0
    let answer = await shut(10)
    for (; typeof answer !== 'string'; answer = await shut(10)) passed += 1
    expect(answer).toBe('budget-unavailable')
    // A lease ahead is at most an eighth of what is free.
    expect(passed).toBeLessThanOrEqual(125)
    const free = callOf(1, {
      tenant: 'shut',
      candidates: [{ provider: 'ollama', model: 'x', dialect: 'openai-chat', local: true }],
    })
    expect(typeof (await tried(money, free))).toBe('object')
    const let_through = await tried(money, callOf(700, { tenant: 'ajar' }))
    if (typeof let_through === 'string') throw new Error(let_through)
    expect(let_through.settle(actualOf(700))).toBe(700_000)
    gate.open()
    await until('the budget that was open knows', async () => (await standing(sql, open)).spent === 700_000)
    expect(await tried(money, callOf(1, { tenant: 'ajar' }))).toBe('budget-exhausted')
    await until('the budget that was closed answers', async () => typeof (await shut(10)) === 'object')
    await money.close()
    await store.close()
    gate.close()
    expect((await standing(sql, closed)).spent).toBe(0)
  }, 30_000)

  test('is known to a gateway that starts, by its snapshot; and without one only what is free passes', async () => {
    await plantBudget(database.sql, { limit_micros: 1_000, subject: 'snapshot' })
    const snapshotFile = join(temporaryFolder(), 'money.json')
    await (await testMoney(database.sql, { snapshotFile })).close()
    const nowhere = openStore('postgres://nobody@127.0.0.1:1/none', { max: 1 })
    const known = await testMoney(nowhere.sql, { snapshotFile, log: quiet })
    expect(await tried(known, callOf(1, { tenant: 'snapshot' }))).toBe('budget-unavailable')
    expect(typeof (await tried(known, callOf(1, { tenant: 'without a budget' })))).toBe('object')
    const unknown = await testMoney(nowhere.sql)
    expect(await tried(unknown, callOf(1, { tenant: 'without a budget' }))).toBe('budget-unavailable')
    await Promise.all([known.close(), unknown.close(), nowhere.close()])
  }, 30_000)
})
