import { expect, test } from 'bun:test'
import { isAlive, repository, spawnProcess } from '../support/process.ts'
import { until } from '../support/until.ts'

const child = `
  import { onParentDeath } from '${repository}/src/lib/parent.ts'
  onParentDeath(() => process.exit(3))
  setInterval(() => {}, 1000)
  console.log('child', process.pid)`

const supervisor = (flag: string) => `
  const child = Bun.spawn([process.execPath, '-e', ${JSON.stringify(child)}, '--', ${JSON.stringify(flag)}],
    { stdin: 'pipe', stdout: 'inherit', detached: true })
  await child.exited`

test('a supervised process notices that its supervisor was killed with -9', async () => {
  const parent = spawnProcess([process.execPath, '-e', supervisor('--supervised')])
  const pid = Number((await parent.line(/^child/)).split(' ')[1])
  await parent.kill('SIGKILL')
  await until('the child is gone', () => !isAlive(pid))
})

test('a process started by hand does not care about its parent', async () => {
  const parent = spawnProcess([process.execPath, '-e', supervisor('--alone')])
  const pid = Number((await parent.line(/^child/)).split(' ')[1])
  await parent.kill('SIGKILL')
  expect(isAlive(pid)).toBe(true)
  process.kill(pid, 'SIGKILL')
})
