import { expect, test } from 'bun:test'
import { openGroupCommit } from '../../../src/jobs/submission/group-commit.ts'
import { until } from '../../support/until.ts'

test('a database that has frozen is sent a few groups and no more, and then all is as before', async () => {
  const frozen: (() => void)[] = []
  const ice = { on: true }
  const group = openGroupCommit({
    write: async (items: readonly number[]) => {
      if (ice.on) await new Promise<void>((resolve) => frozen.push(resolve))
      return [...items]
    },
    bytesOf: () => 1,
    patienceMs: 5,
  })
  for (let n = 0; n < 60; n++) {
    expect(await group.add([n]).catch((error) => error.code)).toBe('jobs-unavailable')
  }
  expect(frozen.length).toBeLessThan(12)
  ice.on = false
  for (const thaw of frozen) thaw()
  await until('it takes one', async () => (await group.add([61]).catch(() => []))[0] === 61)
})
