import { expect, test } from 'bun:test'
import { spawnProcess } from '../support/process.ts'
import { until } from '../support/until.ts'

const program = `
  import { openLog } from './src/lib/log.ts'
  import { onFaults } from './src/processes/faults.ts'
  const log = openLog('a test', 'info')
  onFaults(log)
  process.on('unhandledRejection', () => {
    for (let n = 0; n < 20; n++) log.info({ n }, 'before')
    queueMicrotask(() => {
      throw new Error('an exception')
    })
  })
  Promise.reject(new Error('a rejection'))`

test('an exception that nobody caught ends the process, with all that was logged before; a rejection does not', async () => {
  const child = spawnProcess([process.execPath, '-e', program])
  expect(await child.exited).toBe(1)
  await until('its last line is there', () => child.lines.join().includes('an exception'))
  const lines = child.lines.map((line) => JSON.parse(line))
  expect(lines.map(({ msg }) => msg)).toEqual([
    'unhandled rejection',
    ...Array(20).fill('before'),
    'uncaught exception',
  ])
  expect(lines.at(-1)).toMatchObject({ level: 'fatal', reason: 'an exception' })
  expect(lines.at(-1).stack).toContain('Error: an exception')
})
