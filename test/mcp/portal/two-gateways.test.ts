import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { spawnProcess, type TestProcess } from '../../support/process.ts'
import { until } from '../../support/until.ts'
import { scripted, tool } from './support.ts'

setDefaultTimeout(60_000)

const adminKey = 'sk-sluice-admin-of-the-portal-tests'
let database: TestDatabase
const folders: string[] = []
const gateways: { process: TestProcess; url: string }[] = []

/** Two gateways on one database, each with a folder of its own. */
beforeAll(async () => {
  database = await testDatabase()
  await Promise.all([startGateway(), startGateway()])
})

afterAll(async () => {
  await Promise.all(gateways.map(({ process }) => process.kill('SIGTERM')))
  await database.drop()
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })))
})

async function startGateway(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-portal-'))
  folders.push(dataDir)
  const env = {
    ...{ DATABASE_URL: database.url, DATA_DIR: dataDir, ADMIN_KEY: adminKey, PORT: '0', LOG_LEVEL: 'info' },
    SECRET_KEY: 'a secret that all gateways share, in the tests',
  }
  const process = spawnProcess(['bun', 'src/processes/gateway.ts'], { env })
  const line = await process.line(/"msg":"ready"/, 30_000)
  gateways.push({ process, url: `http://127.0.0.1:${(JSON.parse(line) as { port: number }).port}` })
}

async function api(index: number, method: string, path: string, body?: object) {
  const response = await fetch(`${gateways[index]?.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${adminKey}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, text: await response.text() }
}

test('C2: a server that one gateway is told of reaches the official client of another, and is told, within a second', async () => {
  let told = 0
  const client = new Client(
    { name: 'test', version: '1' },
    { listChanged: { tools: { autoRefresh: false, onChanged: () => void told++ } } },
  )
  const requestInit = { headers: { authorization: `Bearer ${adminKey}` } }
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateways[1]?.url}/mcp`), { requestInit }))
  const names = async () => (await client.listTools()).tools.map(({ name }) => name)
  expect(await names()).toContain('portal_list_servers')

  const { row } = scripted({ tools: [tool('echo')] })
  const made = await api(0, 'POST', '/api/mcp/servers', { name: 'it', transport: 'stdio', ...row })
  expect(made.status).toBe(201)
  await until('the client is told', () => told > 0, 2_000)
  expect(await names()).toContain('it__echo')
  const called = await client.callTool({ name: 'it__echo', arguments: { a: 1 } })
  expect(JSON.stringify(called.content)).toContain('echo')

  told = 0
  const from = performance.now()
  await client.callTool({ name: 'portal_toggle_single_server', arguments: { name: 'it', enabled: false } })
  await until('the client is told again', () => told > 0, 1_000)
  expect(performance.now() - from).toBeLessThan(1_000)
  expect(await names()).not.toContain('it__echo')
  await until('the other gateway knows', async () =>
    /"status":"off"/.test((await api(0, 'GET', '/api/mcp/servers/it')).text),
  )
  await client.close()
})

test('a server’s tools are listed with their switches, asked for again, and switched one by one', async () => {
  await api(0, 'PATCH', '/api/mcp/servers/it', {
    enabled: true,
    tools: { echo: { enabled: false, timeout_ms: 700 } },
  })
  const fresh = JSON.parse((await api(0, 'POST', '/api/mcp/servers/it/refresh')).text)
  expect(fresh.state).toMatchObject({ status: 'ready', tools: 1, era: 'legacy', left_out: [] })
  const { items } = JSON.parse((await api(0, 'GET', '/api/mcp/servers/it/tools')).text)
  expect(items).toEqual([
    {
      name: 'echo',
      title: null,
      description: 'Does echo',
      read_only: false,
      enabled: false,
      timeout_ms: 700,
    },
  ])
})

const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}

/** One request of the modern era, without any credential. */
async function rpc(path: string, method: string, params: Record<string, unknown> = {}) {
  const response = await fetch(`${gateways[1]?.url}${path}`, {
    method: 'POST',
    headers: {
      ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      ...{ 'mcp-protocol-version': '2026-07-28', 'mcp-method': method },
      ...(typeof params.name === 'string' ? { 'mcp-name': params.name } : {}),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } }),
  })
  const text = await response.text()
  const data = /^data: (.*)$/m.exec(text)?.[1] ?? text
  return { status: response.status, json: data === '' ? null : JSON.parse(data) }
}

test('a portal that lists without a credential lets nobody call, and a secret address does both until it is revoked', async () => {
  await api(0, 'PATCH', '/api/mcp/servers/it', { tools: { echo: null } })
  await api(0, 'PUT', '/api/mcp/portals/shown', { anonymous_listing: true })
  const made = JSON.parse((await api(0, 'POST', '/api/mcp/urls', { portal: 'shown' })).text)
  // The tool that was off, the portal, its address: each is known when it is known.
  const listed = async (path: string) => {
    const { status, json } = await rpc(path, 'tools/list')
    return status === 200 ? json.result.tools.map(({ name }: { name: string }) => name).join() : null
  }
  await until('the other gateway knows the portal', async () => (await listed('/mcp/shown')) === 'it__echo')
  await until('and its address', async () => (await listed(made.url_path))?.includes('it__echo') === true)
  expect((await rpc('/mcp/shown', 'tools/call', { name: 'it__echo', arguments: {} })).status).toBe(401)
  expect((await rpc('/mcp', 'tools/list')).status).toBe(401)

  const called = await rpc(made.url_path, 'tools/call', { name: 'it__echo', arguments: { a: 1 } })
  expect(called.json.result).toMatchObject({ resultType: 'complete', extra: 1.5 })
  await api(0, 'DELETE', `/api/mcp/urls/${made.id}`)
  await until('it is worth nothing', async () => (await rpc(made.url_path, 'tools/list')).status === 404)
})

test('metrics show which servers are up', async () => {
  await api(0, 'PATCH', '/api/mcp/servers/it', { enabled: true })
  await until('it is up', async () =>
    (await api(0, 'GET', '/metrics')).text.includes('sluice_mcp_server_up{server="it",tenant="default"} 1'),
  )
})
