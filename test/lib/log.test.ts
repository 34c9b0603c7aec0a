import { expect, test } from 'bun:test'
import { spawnProcess } from '../support/process.ts'

test('what a library says to the console is a line of the log', async () => {
  const program = `
    import { openLog, takeConsole } from '#lib/log'
    takeConsole(openLog('test', 'info'))
    console.debug('not at this level')
    console.warn('%s of', 'one', { three: [1] })`
  const child = spawnProcess([process.execPath, '-e', program])
  const line = JSON.parse(await child.line(/one of/))
  expect(line).toMatchObject({ level: 'warn', process: 'test', msg: 'one of { three: [ 1 ] }' })
  await child.exited
  expect(child.lines).toHaveLength(1)
})
