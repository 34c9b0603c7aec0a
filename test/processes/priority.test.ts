import { expect, test } from 'bun:test'
import { accessSync, constants, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { join } from 'node:path'

const file = '/proc/self/autogroup'
const isOpen = canWrite()
/** Waits for the word in the file where there is to be one: who is not root may have to say it more than once. */
const script = `import { giveWay } from ${JSON.stringify(join(import.meta.dir, '../../src/processes/priority.ts'))}
  import { until } from ${JSON.stringify(join(import.meta.dir, '../support/until.ts'))}
  const group = () => require('node:fs').readFileSync('${file}', 'utf8').trim()
  giveWay(7)
  if (process.argv.includes('alone')) await until('the session gives way', () => group().endsWith('nice 7'))
  console.log(require('node:os').getPriority(), group())`

/** A container may show the file and let nobody write to it. */
function canWrite(): boolean {
  try {
    accessSync(file, constants.W_OK)
    return true
  } catch {
    return false
  }
}

async function said(detached: boolean): Promise<string> {
  const args = detached ? ['alone'] : []
  const child = Bun.spawn([process.execPath, '-e', script, ...args], { detached, stdout: 'pipe' })
  const words = await child.stdout.text()
  expect(await child.exited).toBe(0)
  return words.trim()
}

test.skipIf(!isOpen)(
  'a process gives way with its session, where that is its own, also when several do',
  async () => {
    for (const words of await Promise.all([said(true), said(true), said(true)]))
      expect(words).toMatch(/^7 \S+ nice 7$/)
  },
)

test.skipIf(!isOpen)('a process gives way alone in a session that others are in', async () => {
  const before = readFileSync(file, 'utf8').trim()
  // What the kernel has put in no group, as all that comes of its first process without a session, reads an empty file.
  expect(await said(false)).toBe(`7 ${before}`.trim())
  expect(readFileSync(file, 'utf8').trim()).toBe(before)
  expect(getPriority()).not.toBe(7)
})
