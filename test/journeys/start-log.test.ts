import { expect, test } from 'bun:test'
import { constants, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folder.ts'
import { freePort } from '../support/port.ts'
import { testDatabase } from '../support/postgres.ts'
import { spawnProcess } from '../support/process.ts'
import { redisMissing, testRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { spawnStart } from './started.ts'

const command = `exec ${process.execPath} scripts/start.ts >"$PIPE" 2>&1`

test('everything starts, answers and stops while the reader of its output stands still', async () => {
  const database = await testDatabase()
  const pipe = join(temporaryFolder(), 'pipe')
  Bun.spawnSync(['mkfifo', pipe])
  const reader = spawnProcess(['cat', pipe])
  const own = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK)
  process.kill(reader.pid, 'SIGSTOP')
  await until('the pipe is full', () => fill(own) === 0)

  const port = await freePort()
  const env = { DATABASE_URL: database.url, PORT: String(port), LOG_LEVEL: 'info', PIPE: pipe }
  const started = await spawnStart({ dataDir: temporaryFolder(), env, command: ['sh', '-c', command] })
  const call = () =>
    fetch(`http://127.0.0.1:${port}/p/mock/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"model":"mock","max_tokens":64,"messages":[{"role":"user","content":"Hello"}]}',
    }).then(
      async (answer) => answer.ok && (await answer.text()).includes('assistant'),
      () => false,
    )
  await until('it answers', call, 30_000)
  const { sql } = database
  await until('that is on record', async () => (await sql`select from exchanges`).length > 0, 30_000)

  process.kill(reader.pid, 'SIGCONT')
  await reader.line(/^Sluice is ready at /)
  await reader.line(/^\{"level":"info".*"process":"gateway".*"msg":"ready"\}$/)
  process.kill(reader.pid, 'SIGSTOP')
  await until('the pipe is full', () => fill(own) === 0)
  expect(await started.kill('SIGTERM')).toBe(0)
  await reader.kill('SIGKILL')
  await database.drop()
}, 120_000)

test.skipIf(redisMissing() !== undefined)(
  'what keeps a worker or the gateway from starting is said in one line, by the supervisor',
  async () => {
    const database = await testDatabase()
    const redis = await testRedis({ 'maxmemory-policy': 'allkeys-lru' })
    const env = { DATABASE_URL: database.url, QUEUE_URL: redis.url }
    const child = await spawnStart({ dataDir: temporaryFolder(), env })
    expect(await child.exited).toBe(1)
    // Between log lines, if any: a process that ends may find the connection that it closes unusable.
    const said = () => child.lines.filter((line) => !line.startsWith('{'))
    await until('it has said why', () => said().length > 0)
    expect(said()).toEqual([expect.stringMatching(/^sluice: .*noeviction/)])
    await redis.stop()
    await database.drop()
  },
  60_000,
)

/** @returns how many bytes had room */
function fill(fd: number): number {
  const line = `${'x'.repeat(4_095)}\n`
  let bytes = 0
  try {
    for (;;) bytes += writeSync(fd, line)
  } catch {
    return bytes
  }
}
