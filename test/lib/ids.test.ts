import { expect, test } from 'bun:test'
import { idCeiling, idFloor, idTime, newId } from '../../src/lib/ids.ts'

test('all that is smaller than an id is of before its ceiling, and nothing of that ms before a floor', () => {
  const ms = 1_790_000_000_000
  const id = newId(ms)
  expect([idTime(id), idCeiling(id)]).toEqual([ms, ms + 1])
  expect(idFloor(idCeiling(id)) > id).toBe(true)
  expect(idCeiling(idFloor(ms))).toBe(ms)
})
