import { expect, test } from 'bun:test'
import { isAlive, spawnProcess } from './process.ts'
import { until } from './until.ts'

test('a line is found whether it came before or after the wait, on either stream', async () => {
  const child = spawnProcess(['sh', '-c', 'echo first; echo second >&2; exec sleep 30'])
  expect(await child.line(/first/)).toBe('first')
  expect(await child.line(/second/)).toBe('second')
  expect(await child.line(/first/)).toBe('first')
  await child.kill()
  await until('it is gone', () => !isAlive(child.pid))
})

test('a line that cannot come any more rejects with the output', async () => {
  const child = spawnProcess(['sh', '-c', 'echo oops; exit 3'])
  await expect(child.line(/ready/)).rejects.toThrow('oops')
  expect(await child.exited).toBe(3)
})
