import { expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { scratch } from './support.ts'

test('R3: memory stays flat while the queue is down, for short exchanges and for long ones', async () => {
  const dir = scratch()
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'outage.ts'), dir], {
    stdout: 'pipe',
  })
  const { before, after, recorded } = await child.stdout.json()
  await child.exited
  rmSync(dir, { recursive: true, force: true })
  expect(recorded).toBeGreaterThan(500 * 1024 * 1024)
  expect((after - before) / 1024 / 1024).toBeLessThan(40)
}, 60_000)
