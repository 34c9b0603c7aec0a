import { expect, test } from 'bun:test'
import { openTally } from '../../scripts/test/tally.ts'

test('counts come from the summary, coloured or not, and not from the names of tests', () => {
  const tally = openTally()
  for (const line of [
    '(pass) 9 pass',
    '\x1b[32m 12 pass\x1b[0m',
    ' 3 skip',
    ' 1 fail',
    ' 2 errors',
    'Ran 13 tests',
  ]) {
    tally.read(line)
  }
  expect([tally.passed(), tally.failed()]).toEqual([12, 3])
})
