import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { type Api, apiOf, vaultOf } from './support.ts'

setDefaultTimeout(30_000)
let database: TestDatabase
let api: Api

beforeAll(async () => {
  database = await testDatabase()
  await database.sql`insert into tenants (id, name) values ('there', 'There')`
  api = await apiOf(database)
})
afterAll(async () => {
  await api.close()
  await database.drop()
})

const secret = 'ghp_a_very_secret_token'
const stdio = { transport: 'stdio', command: 'github-mcp', args: ['--stdio'], env: { TOKEN: secret } }

test('a server is added, shown, listed, changed, replaced and removed; what it is given in secret shows nowhere', async () => {
  const made = await api.call('POST', '/api/mcp/servers', { name: 'github', ...stdio })
  expect(made.status).toBe(201)
  expect(made.json).toMatchObject({
    ...{ name: 'github', tenant: 'default', enabled: true, transport: 'stdio', command: 'github-mcp' },
    ...{ args: ['--stdio'], env_names: ['TOKEN'], header_names: [], timeout_ms: 120_000 },
  })
  expect(api.servers.find('default', 'github')?.env).toEqual({ TOKEN: secret })

  const changed = await api.call('PATCH', '/api/mcp/servers/github', {
    ...{ enabled: false, timeout_ms: 5_000, env: { MORE: 'x' } },
    tools: { drop: { enabled: false, timeout_ms: 900 } },
  })
  expect(changed.json).toMatchObject({ enabled: false, timeout_ms: 5_000, env_names: ['MORE', 'TOKEN'] })
  const patched = await api.call('PATCH', `/api/mcp/servers/${made.json.id}`, {
    ...{ env: { MORE: null }, tools: { set: { timeout_ms: 500 } } },
  })
  expect(patched.json.env_names).toEqual(['TOKEN'])
  expect(patched.json.tools).toEqual({ drop: { enabled: false, timeout_ms: 900 }, set: { timeout_ms: 500 } })
  expect((await api.call('PATCH', '/api/mcp/servers/github', { tools: { drop: null } })).json.tools).toEqual({
    set: { timeout_ms: 500 },
  })

  const replaced = await api.call('PUT', '/api/mcp/servers/github', { transport: 'stdio', command: 'other' })
  expect([replaced.status, replaced.json.enabled, replaced.json.tools]).toEqual([200, true, {}])
  expect(api.servers.find('default', 'github')?.env).toEqual({ TOKEN: secret })

  for (const path of ['/api/mcp/servers', '/api/mcp/servers/github'])
    expect((await api.call('GET', path)).text).not.toContain(secret)
  const rows = await database.sql`select * from mcp_servers`
  expect(JSON.stringify(rows)).not.toContain(secret)
  expect((await api.call('DELETE', '/api/mcp/servers/github')).status).toBe(204)
  expect((await api.call('GET', '/api/mcp/servers/github')).status).toBe(404)
  expect(api.servers.all()).toEqual([])
})

test('headers, and what stands in the query of an address, are kept in secret', async () => {
  const url = `https://mcp.example.com/mcp?key=${secret}&b=1`
  const given = { transport: 'http', url, headers: { Authorization: `Bearer ${secret}` } }
  const made = await api.call('PUT', '/api/mcp/servers/remote', given)
  expect([made.status, made.json.url]).toEqual([201, 'https://mcp.example.com/mcp?key=…&b=…'])
  expect(made.json.header_names).toEqual(['Authorization'])
  const path = 'https://mcp.vendor.com/api/s/ODk4NzY1NDMyMTAxMjM0NTY3/mcp'
  const vendor = await api.call('PUT', '/api/mcp/servers/vendor', { transport: 'http', url: path })
  expect(vendor.json.url).toBe('https://mcp.vendor.com/api/s/…/mcp')
  // As a form would send back what it was given.
  const again = await api.call('PUT', '/api/mcp/servers/vendor', { transport: 'http', url: vendor.json.url })
  expect([again.status, api.servers.find('default', 'vendor')?.url]).toEqual([200, path])
  const other = await api.call('PATCH', '/api/mcp/servers/vendor', { url: 'https://other.com/…/mcp' })
  expect([other.status, other.json.errors[0].pointer]).toEqual([422, '/url'])
  expect(JSON.stringify(await database.sql`select * from mcp_servers`)).not.toContain('ODk4')
  await api.call('DELETE', '/api/mcp/servers/vendor')
  await api.call('PATCH', '/api/mcp/servers/remote', { timeout_ms: 1_000 })
  expect(api.servers.find('default', 'remote')).toMatchObject({ url, headers: given.headers })
  expect(JSON.stringify(await database.sql`select * from mcp_servers`)).not.toContain(secret)
  await api.call('DELETE', '/api/mcp/servers/remote')
})

test('what looks like a secret in the arguments of a command is kept in secret, and comes back as it is meant', async () => {
  const args = ['-y', 'mcp-remote', '--header', `Authorization: Bearer ${secret}`, '--token', secret]
  const made = await api.call('PUT', '/api/mcp/servers/cli', { ...stdio, env: {}, args })
  const shown = ['-y', 'mcp-remote', '--header', 'Authorization: …', '--token', '…']
  expect(made.json.args).toEqual(shown)
  const held = () => api.servers.find('default', 'cli')?.args
  expect(held()).toEqual(args)
  await api.call('PATCH', '/api/mcp/servers/cli', { timeout_ms: 1_000 })
  expect(held()).toEqual(args)
  // As a form would send back what it was given.
  await api.call('PUT', '/api/mcp/servers/cli', { ...stdio, args: ['--quiet', ...shown] })
  expect(held()).toEqual(['--quiet', ...args])
  const other = await api.call('PATCH', '/api/mcp/servers/cli', { args: ['--key', 'sk-…'] })
  expect([other.status, other.json.errors[0].pointer]).toEqual([422, '/args/1'])
  expect((await api.call('GET', '/api/mcp/servers')).text).not.toContain(secret)
  expect(JSON.stringify(await database.sql`select * from mcp_servers`)).not.toContain(secret)
  await api.call('DELETE', '/api/mcp/servers/cli')
})

test('a row of before, with its arguments in clear, works as it did and shows no secret', async () => {
  await api.call('POST', '/api/mcp/servers', { name: 'old', ...stdio, args: ['--api-key', 'plain'] })
  const vault = vaultOf()
  const [row] = await database.sql`select id from mcp_servers where name = 'old'`
  const sealed = vault.seal(JSON.stringify({ env: {}, headers: {}, url: null }), `mcp-server/${row?.id}`)
  await database.sql`
    update mcp_servers set sealed = ${sealed}, spec = spec || '{"args": ["--api-key", "plain"]}' where id = ${row?.id}`
  await api.servers.refresh()
  expect(api.servers.find('default', 'old')?.args).toEqual(['--api-key', 'plain'])
  expect((await api.call('GET', '/api/mcp/servers/old')).json.args).toEqual(['--api-key', '…'])
  await api.call('PATCH', '/api/mcp/servers/old', { timeout_ms: 1_000 })
  expect(api.servers.find('default', 'old')?.args).toEqual(['--api-key', 'plain'])
  expect(JSON.stringify(await database.sql`select * from mcp_servers`)).not.toContain('plain')
  await api.call('DELETE', '/api/mcp/servers/old')
})

test('a connection depends on what leads to it, and not on names, limits and switches', async () => {
  await api.call('POST', '/api/mcp/servers', { name: 'it', ...stdio })
  const print = () => api.servers.find('default', 'it')?.fingerprint
  const before = print()
  await api.call('PATCH', '/api/mcp/servers/it', {
    timeout_ms: 777,
    namespace: 'x',
    tools: { a: { enabled: false } },
  })
  expect(print()).toBe(before)
  await api.call('PATCH', '/api/mcp/servers/it', { env: { TOKEN: 'another' } })
  expect(print()).not.toBe(before)
  await api.call('DELETE', '/api/mcp/servers/it')
})

test('one name is one server for whoever sees it', async () => {
  const add = async (name: string, tenant?: string | null) =>
    (
      await api.call('POST', '/api/mcp/servers', {
        name,
        ...stdio,
        ...(tenant === undefined ? {} : { tenant }),
      })
    ).status
  expect(await add('mine')).toBe(201)
  expect(await add('Mine')).toBe(409)
  expect(await add('mine', 'there')).toBe(201)
  expect(await add('mine', null)).toBe(409)
  expect(await add('ours', null)).toBe(201)
  expect(await add('ours', 'there')).toBe(409)
  expect(await add('other', 'nowhere')).toBe(409)
  expect(api.servers.find('there', 'ours')?.tenant).toBeNull()
  expect(api.servers.find('default', 'mine')?.id).not.toBe(api.servers.find('there', 'mine')?.id)
  expect((await api.call('GET', '/api/mcp/servers?tenant=there')).json.items).toHaveLength(2)
  expect((await api.call('GET', '/api/mcp/servers/mine?tenant=there')).json.tenant).toBe('there')
})

test('what is wrong is said with its place', async () => {
  const bad: [object, string][] = [
    [{ ...stdio, name: 'a b' }, '/name'],
    [{ ...stdio, name: 'a__b' }, '/name'],
    [{ ...stdio, name: 'sluice' }, '/name'],
    [{ name: 'x', transport: 'stdio' }, '/command'],
    [{ name: 'x', transport: 'tcp' }, '/transport'],
    [{ name: 'x', transport: 'http' }, '/url'],
    [{ name: 'x', transport: 'http', url: 'ftp://x' }, '/url'],
    [{ name: 'x', transport: 'ws', url: 'http://x' }, '/url'],
    [{ name: 'x', transport: 'http', url: 'http://x', command: 'y' }, '/command'],
    [{ ...stdio, name: 'x', headers: { a: 'b' } }, '/headers'],
    [{ transport: 'http', url: 'http://a.test', name: 'x', headers: { a: 'b\r\nEvil: 1' } }, '/headers/a'],
    [{ ...stdio, name: 'x', env: { 'A=B': 'x' } }, '/env/A=B'],
    [{ ...stdio, name: 'x', timeout: 5 }, '/timeout'],
    [{ ...stdio, name: 'x', spy: true }, '/spy'],
    [{ ...stdio, name: 'x', command: 'a\u0000' }, '/command'],
  ]
  for (const [body, pointer] of bad) {
    const { status, json } = await api.call('POST', '/api/mcp/servers', body)
    expect([pointer, status, json.errors?.[0].pointer]).toEqual([pointer, 422, pointer])
  }
  expect((await api.call('PATCH', '/api/mcp/servers/mine', { timeout_ms: 1 })).json.errors[0].pointer).toBe(
    '/timeout_ms',
  )
  expect((await api.call('PATCH', '/api/mcp/servers/sluice', {})).status).toBe(404)
  expect(
    (await api.call('POST', '/api/mcp/servers', { name: 'x', transport: 'http', url: 'http://u:p@x' }))
      .status,
  ).toBe(422)
})

test('a gateway that must not start commands, or reach its own network, takes no such server', async () => {
  const strict = await apiOf(database, { allowStdio: false, allowPrivate: false })
  const refused = await strict.call('POST', '/api/mcp/servers', { name: 'cmd', ...stdio })
  expect([refused.status, refused.json.type]).toEqual([422, 'urn:sluice:problem:stdio-off'])
  expect(refused.json.detail).toContain('MCP_STDIO')
  for (const url of [
    'http://127.0.0.1:9/mcp',
    'http://169.254.169.254/',
    'http://[::1]/mcp',
    'http://10.0.0.1/',
  ]) {
    const { status, json } = await strict.call('POST', '/api/mcp/servers', {
      name: 'x',
      transport: 'http',
      url,
    })
    expect([url, status, json.type]).toEqual([url, 422, 'urn:sluice:problem:address-refused'])
  }
  const ws = { name: 'x', transport: 'ws', url: 'ws://127.0.0.1:9' }
  expect((await strict.call('POST', '/api/mcp/servers', ws)).json.type).toBe(
    'urn:sluice:problem:address-refused',
  )
  // A row from a time when it might.
  expect(strict.servers.find('default', 'mine')?.problem).toContain('MCP_STDIO')
  await strict.close()
})
