import { expect, test } from 'bun:test'
import { testDatabase } from '../support/postgres.ts'
import { spawnProcess } from '../support/process.ts'

async function health(env: Record<string, string>, args: string[] = []): Promise<[number, string]> {
  const child = spawnProcess([process.execPath, 'scripts/health.ts', ...args], {
    env: { QUEUE_URL: undefined, ...env },
  })
  const code = await child.exited
  return [code, child.lines.join('\n')]
}

test('a worker is healthy where its database and its queue answer', async () => {
  const { url, drop } = await testDatabase()
  expect(await health({ DATABASE_URL: url })).toEqual([0, ''])
  const [code, words] = await health({ DATABASE_URL: url, QUEUE_URL: 'redis://127.0.0.1:1' })
  expect(code).toBe(1)
  expect(words).not.toBe('')
  await drop()
}, 20_000)

test('a worker is not healthy without its database, and the password stays secret', async () => {
  const [code, words] = await health({ DATABASE_URL: 'postgres://me:hunter2@127.0.0.1:1/x' })
  expect(code).toBe(1)
  expect(words).not.toContain('hunter2')
}, 20_000)

test('a gateway is healthy when it says so', async () => {
  using server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: ({ url }) => new Response('', { status: url.endsWith('/health') ? 200 : 503 }),
  })
  expect(await health({}, [`${server.url}health`])).toEqual([0, ''])
  expect((await health({}, [`${server.url}other`]))[0]).toBe(1)
})
