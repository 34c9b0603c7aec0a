import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { testDatabase } from '../support/postgres.ts'
import { isAlive, spawnProcess } from '../support/process.ts'
import { redisMissing, testRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { spawnStart, startAll, stopAll } from './started.ts'

type Exchanges = { items: { status: number; outcome: string }[] }

test('bun start: a new machine answers, records and stops; a second start finds it all', async () => {
  const dataDir = temporaryFolder()
  const first = await startAll({ dataDir })
  const adminKey = first.adminKey ?? ''
  expect(adminKey).toStartWith('sk-sluice-')
  expect(JSON.parse(first.tryIt())).toMatchObject({ type: 'message', role: 'assistant' })
  await until('the exchange is on record', async () => {
    const { items } = await first.read<Exchanges>('/api/exchanges', adminKey)
    return items.length === 1 && items[0]?.outcome === 'completed'
  })
  const end = await stopAll(first)
  expect(end).toEqual({ code: 0, ms: expect.any(Number), left: [] })
  expect(end.ms).toBeLessThan(10_000)

  const second = await startAll({ dataDir })
  expect(second.adminKey).toBeNull()
  const { items } = await second.read<Exchanges>('/api/exchanges', adminKey)
  expect(items).toMatchObject([{ status: 200, outcome: 'completed' }])
  expect((await stopAll(second, 'SIGINT')).left).toEqual([])
}, 120_000)

test.skipIf(redisMissing() !== undefined)(
  'with DATABASE_URL and QUEUE_URL it runs no Postgres of its own, and records all the same',
  async () => {
    const dataDir = temporaryFolder()
    const database = await testDatabase()
    const redis = await testRedis({ 'maxmemory-policy': 'noeviction' })
    const key = 'sk-sluice-of-this-test'
    const env = { DATABASE_URL: database.url, QUEUE_URL: redis.url, ADMIN_KEY: key }
    const started = await startAll({ dataDir, env })
    expect(started.adminKey).toBeNull()
    started.tryIt()
    await until('the exchange is on record', async () => {
      const { items } = await started.read<Exchanges>('/api/exchanges', key)
      return items.length === 1
    })
    expect(existsSync(join(dataDir, 'postgres'))).toBe(false)
    expect(await stopAll(started)).toMatchObject({ code: 0, left: [] })
    await redis.stop()
    await database.drop()
  },
  120_000,
)

test('Ctrl-C in a terminal, which reaches bun start and its child, is one request to stop', async () => {
  const started = await startAll({ dataDir: temporaryFolder(), command: [process.execPath, 'start'] })
  const pids = started.pids()
  process.kill(-started.process.pid, 'SIGINT')
  expect(await started.process.exited).toBe(0)
  await until('nothing is left', () => started.pids().length === 1 && !pids.some(isAlive))
}, 120_000)

test('a start that cannot work says why in one line', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const address = other.address()
  const taken = typeof address === 'object' ? String(address?.port) : ''
  const refusals: [Record<string, string>, RegExp][] = [
    [{ PORT: taken }, new RegExp(`^sluice: PORT=${taken} on 127.0.0.1 is taken`)],
    [{ PORT: 'http' }, /^sluice: PORT="http"/],
    [{ HOST: '192.0.2.1' }, /^sluice: HOST=192.0.2.1 is no address of this machine/],
    [{ DATA_DIR: '/proc/nowhere' }, /^sluice: .*\/proc\/nowhere/],
    [
      { DATABASE_URL: 'postgres://a:hunter2@127.0.0.1:1/b' },
      /^sluice: Cannot connect to Postgres at a@127.0.0.1:1\/b/,
    ],
  ]
  for (const [env, words] of refusals) {
    const child = await spawnStart({ dataDir: temporaryFolder(), env })
    expect(await child.exited).toBe(1)
    await until('it has said why', () => child.lines.length > 0)
    expect(child.lines).toEqual([expect.stringMatching(words)])
    expect(child.lines.join()).not.toContain('hunter2')
  }
  other.close()
}, 120_000)

test('a second start on the same data directory is refused, and the first goes on', async () => {
  const dataDir = temporaryFolder()
  const first = await startAll({ dataDir })
  const second = await spawnStart({ dataDir })
  await second.line(/^sluice: .*in use by another Sluice/)
  expect(await second.exited).toBe(1)
  expect(first.tryIt()).toContain('message')
  expect((await stopAll(first)).left).toEqual([])
}, 120_000)

test('--help says what it does and starts nothing', async () => {
  const child = spawnProcess([process.execPath, 'scripts/start.ts', '--help'])
  expect(await child.exited).toBe(0)
  await child.line(/DATABASE_URL/)
})
