import { expect, test } from 'bun:test'
import { chmodSync, cpSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { repository } from '../support/process.ts'
import { startAll, stopAll } from './started.ts'

const files = ['package.json', 'bun.lock', 'bunfig.toml', 'patches', 'queues', 'src', 'scripts']

test('on a fresh clone bun start installs what is missing, and answers within a minute', async () => {
  const clone = temporaryFolder()
  chmodSync(clone, 0o755)
  for (const file of files) cpSync(join(repository, file), join(clone, file), { recursive: true })
  const dataDir = join(clone, '.data')
  const command = [process.execPath, 'start']

  const from = performance.now()
  const first = await startAll({ dataDir, command, cwd: clone })
  expect(first.process.lines).toContain('sluice: installing dependencies')
  expect(first.tryIt()).toContain('message')
  expect(performance.now() - from).toBeLessThan(60_000)
  expect(await stopAll(first)).toMatchObject({ code: 0, left: [] })

  const second = await startAll({ dataDir, command, cwd: clone })
  expect(second.process.lines).not.toContain('sluice: installing dependencies')
  expect(second.tryIt()).toContain('message')
  expect(await stopAll(second)).toMatchObject({ code: 0, left: [] })
}, 180_000)
