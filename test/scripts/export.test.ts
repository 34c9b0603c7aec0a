import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Fixture, openFixture } from '../capture/reading-support.ts'
import { called } from '../capture/store-support.ts'
import { spawnProcess } from '../support/process.ts'

setDefaultTimeout(60_000)

let fixture: Fixture
let url: string
let folder: string
const ids: string[] = []

beforeAll(async () => {
  fixture = await openFixture()
  const exchanges = Array.from({ length: 30 }, (_, n) =>
    called({ messages: [`user: question ${n}`] }, { open: { tenant: 'a' } }),
  )
  ids.push(...exchanges.map(({ open }) => open.id))
  await fixture.store(exchanges)
  const { server } = fixture.app.listen({ port: 0, hostname: '127.0.0.1' })
  url = `http://127.0.0.1:${server?.port}`
  folder = await mkdtemp(join(tmpdir(), 'sluice-export-'))
})

afterAll(async () => {
  await fixture.release()
  await rm(folder, { recursive: true, force: true })
})

/** Runs it, through as broken a connection as `address` is. */
function run(args: string[], address = url, key = fixture.keys.a) {
  const env = { SLUICE_URL: address, SLUICE_KEY: key }
  return spawnProcess([process.execPath, 'scripts/export.ts', ...args], { env })
}

const idsOf = (lines: string[]) =>
  lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line).id)

test('writes the lines to standard output, without the trailer', async () => {
  const child = run([])
  expect(await child.exited).toBe(0)
  expect(idsOf(child.lines)).toEqual(ids)
  expect(child.lines).toContain('30 lines')
})

test('continues a file after its last whole line', async () => {
  const out = join(folder, 'record.jsonl')
  const first = run(['--out', out, '--limit', '10', '--bodies'])
  expect(await first.exited).toBe(0)
  expect(first.lines).toEqual([`10 lines; there is more: --after ${ids[9]}`])
  await Bun.write(out, `${await Bun.file(out).text()}{"type":"exchange","id":"half a li`)
  const second = run(['--out', out, '--bodies'])
  expect(await second.exited).toBe(0)
  expect(idsOf((await Bun.file(out).text()).trimEnd().split('\n'))).toEqual(ids)
})

test('R10: goes on by itself where the connection breaks', async () => {
  let passed = 0
  const breaking = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { pathname, search } = new URL(request.url)
      const response = await fetch(`${url}${pathname}${search}`, { headers: request.headers })
      const whole = await response.bytes()
      passed++
      return new Response(passed < 3 ? whole.subarray(0, 5_000) : whole)
    },
  })
  const child = run([], `http://127.0.0.1:${breaking.port}`)
  expect(await child.exited).toBe(0)
  expect(idsOf(child.lines)).toEqual(ids)
  expect(passed).toBe(3)
  await breaking.stop(true)
})

test('says in one line what is wrong', async () => {
  const cases: [string[], string, number, RegExp][] = [
    [['--colour', 'red'], fixture.keys.a, 2, /--colour/],
    [['--status', '9'], fixture.keys.a, 1, /^400: \?status: must be/],
    [[], 'sk-sluice-unknown', 1, /^401: /],
    [['--url', 'http://127.0.0.1:9'], fixture.keys.a, 1, /cannot be reached/],
    [[], '', 2, /There is no key/],
  ]
  for (const [args, key, code, pattern] of cases) {
    const child = run(args, url, key)
    expect([args, await child.exited]).toEqual([args, code])
    expect(child.lines.length).toBe(1)
    expect(child.lines[0]).toMatch(pattern)
  }
})

test('gives help', async () => {
  const child = run(['--help'])
  expect(await child.exited).toBe(0)
  expect(child.lines.some((line) => line.includes('--bodies'))).toBe(true)
})
