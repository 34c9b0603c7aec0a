import { expect, test } from 'bun:test'
import { backoffMs } from '../../src/broker/retry.ts'

const policy = { attempts: 9, backoffMs: 100, backoffMaxMs: 1_000 }

test('a wait doubles with each try, up to its cap', () => {
  expect([1, 2, 3, 4, 5, 50].map((made) => backoffMs(policy, made, 1))).toEqual([
    100, 200, 400, 800, 1_000, 1_000,
  ])
})

test('a wait is between half of that and all of it, so that jobs that failed together come apart', () => {
  expect([0, 0.5, 1].map((random) => backoffMs(policy, 3, random))).toEqual([200, 300, 400])
})
