import { expect, test } from 'bun:test'
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type EmbeddedPostgres, openStore, startEmbedded } from '#store'
import { refusal, temporaryFolder } from '../support/folder.ts'

const root = process.getuid?.() === 0

async function remember(server: EmbeddedPostgres, note: string): Promise<void> {
  const { sql, close } = openStore(server.url)
  await sql`create table notes as select ${note}::text as note`
  await close()
}

async function recall(server: EmbeddedPostgres): Promise<string> {
  const { sql, close } = openStore(server.url)
  const [row] = await sql<{ note: string }[]>`select note from notes`
  await close()
  return row?.note ?? ''
}

test('starts, keeps its data and its port, and starts again', async () => {
  const dir = temporaryFolder()
  const first = await startEmbedded({ dir, durable: false })
  await remember(first, 'kept')
  await first.stop()
  const second = await startEmbedded({ dir, durable: false })
  expect(second.port).toBe(first.port)
  expect(await recall(second)).toBe('kept')
  await second.stop()
}, 30_000)

test('speaks UTF-8, listens on loopback only, and wants the password that only its owner can read', async () => {
  const dir = temporaryFolder()
  const server = await startEmbedded({ dir, durable: false })
  const { sql, close } = openStore(server.url)
  const [row] = await sql`
    select lower('ÄÉ') as lower, current_setting('server_encoding') as encoding,
      current_setting('listen_addresses') as address, current_setting('synchronous_commit') as commit`
  expect(row).toEqual({ lower: 'äé', encoding: 'UTF8', address: '127.0.0.1', commit: 'on' })
  await close()
  const stranger = openStore(`postgres://sluice:sluice@127.0.0.1:${server.port}/postgres`)
  await expect(stranger.sql`select 1`.execute()).rejects.toThrow('password authentication failed')
  await stranger.close()
  expect(statSync(join(dir, 'postgres.json')).mode & 0o777).toBe(0o600)
  await server.stop()
}, 30_000)

test.skipIf(!root)(
  'as root it runs as another user, even below a folder that this user may not enter',
  async () => {
    const dir = join(temporaryFolder(), 'closed')
    mkdirSync(dir, { mode: 0o700 })
    const server = await startEmbedded({ dir, durable: false })
    expect(statSync(join(dir, 'postgres')).uid).not.toBe(0)
    expect(statSync(dir).uid).toBe(0)
    await server.stop()
  },
  30_000,
)

test.skipIf(!root)('a cluster that belongs to root is refused with the command that mends it', async () => {
  const dir = temporaryFolder()
  mkdirSync(join(dir, 'postgres'))
  expect(await refusal(startEmbedded({ dir }))).toContain('chown -R')
})

test('a second start beside a running one is refused, and does not disturb it', async () => {
  const dir = temporaryFolder()
  const server = await startEmbedded({ dir, durable: false })
  expect(await refusal(startEmbedded({ dir }))).toContain('in use by another Sluice')
  await remember(server, 'undisturbed')
  await server.stop()
}, 30_000)

test('a port that was asked for and is taken is refused; a remembered one is replaced', async () => {
  const dir = temporaryFolder()
  const first = await startEmbedded({ dir, durable: false })
  await first.stop()
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(first.port, '127.0.0.1', resolve))
  expect(await refusal(startEmbedded({ dir, port: first.port }))).toContain(`Port ${first.port}`)
  const second = await startEmbedded({ dir, durable: false })
  expect(second.port).not.toBe(first.port)
  await second.stop()
  other.close()
}, 30_000)

test('a data directory of another major version is refused, with what to do', async () => {
  const dir = temporaryFolder()
  const server = await startEmbedded({ dir, durable: false })
  await server.stop()
  writeFileSync(join(dir, 'postgres', 'PG_VERSION'), '16\n')
  expect(await refusal(startEmbedded({ dir }))).toMatch(
    /made by Postgres 16.*Postgres 18.*set another DATA_DIR$/,
  )
}, 30_000)

test('a lost password is refused rather than guessed', async () => {
  const dir = temporaryFolder()
  const server = await startEmbedded({ dir, durable: false })
  await server.stop()
  writeFileSync(join(dir, 'postgres.json'), '{}')
  expect(await refusal(startEmbedded({ dir }))).toContain('postgres.json')
}, 30_000)

test('a start that died while making the data directory leaves nothing in the way', async () => {
  const dir = temporaryFolder()
  mkdirSync(join(dir, 'postgres.new', 'base'), { recursive: true })
  const server = await startEmbedded({ dir, durable: false })
  expect(existsSync(join(dir, 'postgres.new'))).toBe(false)
  await server.stop()
}, 30_000)
