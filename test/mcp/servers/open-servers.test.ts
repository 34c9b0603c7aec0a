import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import { newId } from '#lib/ids'
import { selector } from '../../../src/mcp/servers/selector.ts'
import { serverSpec } from '../../../src/mcp/servers/settings.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { promptly } from '../../support/promptly.ts'
import { until } from '../../support/until.ts'
import { apiOf, rowsOf, vaultOf } from './support.ts'

setDefaultTimeout(30_000)
let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(async () => await database.drop())

const stdio = { transport: 'stdio', command: 'x', env: { TOKEN: 'a-secret-value' } }

test('what one gateway was told is known to another within a second, and its listeners hear of it', async () => {
  const api = await apiOf(database)
  const other = await rowsOf(database)
  let told = 0
  other.onChange(() => {
    told += 1
  })
  await api.call('POST', '/api/mcp/servers', { name: 'it', ...stdio })
  await until('the other knows', () => other.find('default', 'it') !== null, { ms: 1_000 })
  expect([told > 0, other.find('default', 'it')?.env.TOKEN]).toEqual([true, 'a-secret-value'])
  await other.close()
  await api.close()
})

test('a gateway starts without the database from what it knew, which holds no secret in the clear', async () => {
  const file = join(temporaryFolder(), 'mcp.json')
  const first = await rowsOf(database, { snapshotFile: file })
  await first.close()
  expect(await Bun.file(file).text()).not.toContain('a-secret-value')
  const never = () => Promise.reject(new Error('connection refused'))
  const sql = Object.assign(never, { listen: never, begin: never }) as never
  const again = await rowsOf(database, { sql, snapshotFile: file })
  expect(again.find('default', 'it')?.env.TOKEN).toBe('a-secret-value')
  await again.close()
})

test('a row that cannot be read is left out alone; one sealed with another secret is out of use, and says so', async () => {
  await database.sql`
    insert into mcp_servers (id, name, transport, spec, sealed)
    values (gen_random_uuid(), 'future', 'quic', '{}', 'v9.x')`
  const servers = await rowsOf(database, { vault: vaultOf('another secret, just as long as that one') })
  expect(servers.all().map(({ name }) => name)).toEqual(['it'])
  expect(servers.find('default', 'it')?.problem).toContain('SECRET_KEY')
  await servers.close()
})

test('what an earlier release stored in clear is sealed by the first gateway of this one, and works on', async () => {
  const [id, url] = [newId(), 'https://docs.example/mcp?token=an-old-token']
  const args = ['--api-key', 'an-old-secret', '--verbose']
  const spec = { ...serverSpec.parse({ command: 'x', args, url }), later: 'stays' }
  const old = { env: { TOKEN: 'another' }, headers: {}, url: null }
  await database.sql`
    insert into mcp_servers (id, tenant, name, transport, spec, sealed)
    values (${id}, 'default', 'old', 'stdio', ${database.sql.json(spec)},
      ${vaultOf().seal(JSON.stringify(old), `mcp-server/${id}`)})`
  const file = join(temporaryFolder(), 'mcp.json')
  const stranger = await rowsOf(database, { vault: vaultOf('another secret, just as long as that one') })
  await stranger.close()
  const servers = await rowsOf(database, { snapshotFile: file })
  const before = servers.find('default', 'old')
  const row = async () =>
    JSON.stringify(await database.sql`select spec, sealed from mcp_servers where id = ${id}`)
  await until(
    'it is sealed, on disk too',
    async () => !`${await row()}${await Bun.file(file).text()}`.includes('an-old'),
  )
  expect(await row()).toContain('stays')
  await servers.refresh()
  const after = servers.find('default', 'old')
  expect(after).toMatchObject({ args, url, env: { TOKEN: 'another' } })
  // Nothing is restarted.
  expect(after?.fingerprint).toBe(before?.fingerprint ?? '')
  await servers.close()
})

test('patterns hold what they say', async () => {
  const holds = (allow: string[], deny: string[], path: string) => {
    const [server = '', ...name] = path.split('/')
    return selector({ allow, deny })(server, name.join('/'))
  }
  expect(holds(['github'], [], 'github/create')).toBe(true)
  expect(holds(['github'], [], 'github2/create')).toBe(false)
  expect(holds(['github/create_*'], [], 'github/create_issue')).toBe(true)
  expect(holds(['github/create_*'], [], 'github/x_create_')).toBe(false)
  expect(holds(['*/get'], [], 'any/get')).toBe(true)
  expect(holds(['*'], ['*/*delete*'], 'any/do_delete_it')).toBe(false)
  expect(holds([], [], 'any/get')).toBe(false)
  expect(holds(['a/b.c'], [], 'a/bxc')).toBe(false)
  expect(holds(['fs/file:///*'], [], 'fs/file:///a/b')).toBe(true)
  const evil = `a/${'*a'.repeat(50)}`
  const look = () => holds([evil], [], `a/${'a'.repeat(5_000)}b`)
  expect(await promptly('an evil pattern', 100, look)).toBe(false)
})
