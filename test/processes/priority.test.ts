import { expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { join } from 'node:path'

const file = '/proc/self/autogroup'
const script = `import { giveWay } from ${JSON.stringify(join(import.meta.dir, '../../src/processes/priority.ts'))}
  giveWay(7)
  console.log(require('node:os').getPriority(), require('node:fs').readFileSync('${file}', 'utf8').trim())`

async function said(detached: boolean): Promise<string> {
  const child = Bun.spawn([process.execPath, '-e', script], { detached, stdout: 'pipe' })
  const words = await child.stdout.text()
  expect(await child.exited).toBe(0)
  return words.trim()
}

test.skipIf(!existsSync(file))('a process gives way with its session, where that is its own', async () => {
  expect(await said(true)).toMatch(/^7 \S+ nice 7$/)
})

test.skipIf(!existsSync(file))('a process gives way alone in a session that others are in', async () => {
  const before = readFileSync(file, 'utf8').trim()
  expect(await said(false)).toBe(`7 ${before}`)
  expect(readFileSync(file, 'utf8').trim()).toBe(before)
  expect(getPriority()).not.toBe(7)
})
