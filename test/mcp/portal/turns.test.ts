import { expect, test } from 'bun:test'
import { openTurns } from '../../../src/mcp/portal/turns.ts'
import { until } from '../../support/until.ts'

test('no more goes on at once than may, all of it is done, and an error frees its place', async () => {
  const turns = openTurns({ most: 3, longMs: 10_000 })
  let running = 0
  let most = 0
  const work = (at: number) => async () => {
    running += 1
    most = Math.max(most, running)
    await new Promise(setImmediate)
    running -= 1
    if (at % 4 === 0) throw new Error('failed')
    return at
  }
  const results = await Promise.allSettled(Array.from({ length: 40 }, (_, at) => turns(work(at))))
  expect(most).toBe(3)
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(30)
})

test('what takes long holds up nobody for ever', async () => {
  const turns = openTurns({ most: 1, longMs: 20 })
  void turns(() => new Promise(() => {}))
  let done = false
  void turns(async () => {
    done = true
  })
  await until('the second has its turn', () => done)
  expect(done).toBe(true)
})
