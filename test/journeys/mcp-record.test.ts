import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { repository, spawnProcess } from '../support/process.ts'
import { until } from '../support/until.ts'
import { placesOf } from './places.ts'
import { type Page, type Product, startProduct } from './product.ts'

setDefaultTimeout(60_000)

let product: Product

beforeAll(async () => {
  product = await startProduct('postgres', { MCP_STDIO: 'true' })
  await api('POST', '/api/mcp/servers', {
    ...{ name: 'echo', transport: 'stdio', command: process.execPath, cwd: repository },
    args: ['test/mcp/record/echo-server.ts'],
    env: { PLANTED: 'env-secret-planted' },
  })
}, 60_000)

afterAll(() => product.stop())

async function api<Body>(method: string, path: string, body: unknown): Promise<Body> {
  const answer = await fetch(`${product.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${product.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as Body
}

type Options = { path?: string; headers?: Record<string, string>; era?: 'legacy' | 'modern' }

async function connected({ path = '/mcp', headers = {}, era = 'modern' }: Options): Promise<Client> {
  const client = new Client(
    { name: 'agent', version: '1' },
    { versionNegotiation: { mode: era === 'legacy' ? 'legacy' : { pin: '2026-07-28' } } },
  )
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${product.url}${path}`), { requestInit: { headers } }),
  )
  return client
}

function say(client: Client, given: Record<string, unknown>, meta: Record<string, unknown> = {}) {
  return client.callTool({ name: 'echo__say', arguments: given, _meta: meta })
}

type Item = {
  type: string
  role?: string
  name?: string
  server?: string
  outcome?: string
  tool_uses?: unknown[]
}

test.each(['legacy', 'modern'] as const)(
  'R5: a model asks for a tool, its agent calls it (%s), and both are on one timeline, also after a rebuild',
  async (era) => {
    const session = `session-${era}`
    const authorization = `Bearer ${product.adminKey}`
    const asked = await fetch(`${product.url}/p/mock/v1/messages`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json', 'x-claude-code-session-id': session },
      body: JSON.stringify({
        ...{ model: 'mock-1', max_tokens: 64, stream: true },
        messages: [{ role: 'user', content: `use tool echo__say with {"text": "${era}"}` }],
        tools: [{ name: 'echo__say', input_schema: { type: 'object' } }],
      }),
    })
    const toolUse = /"id":"(toolu_[^"]+)"/.exec(await asked.text())?.[1] ?? ''
    const client = await connected({ era, headers: { authorization } })
    const answer = await say(client, { text: `kingfisher-${era}` }, { 'claudecode/toolUseId': toolUse })
    expect(answer.content).toEqual([{ type: 'text', text: `heard kingfisher-${era}` }])
    await client.close()
    await product.settled()

    const list = await product.read<Page<{ id: string }>>(
      `/api/conversations?session=${session}&client=claude-code`,
    )
    expect(list.items).toHaveLength(1)
    const timeline = `/api/conversations/${list.items[0]?.id}/timeline`
    const shown = async () => {
      const { items } = await product.read<{ items: Item[] }>(timeline)
      return items.map(({ type, role, name, server, outcome }) => [type, role ?? name, server, outcome])
    }
    const expected = [
      ['turn', 'user', undefined, undefined],
      ['turn', 'assistant', undefined, undefined],
      ['call', 'echo__say', 'echo', 'completed'],
    ]
    expect(await shown()).toEqual(expected)
    const rebuild = spawnProcess([process.execPath, 'scripts/rebuild.ts'], {
      env: { DATABASE_URL: product.databaseUrl },
    })
    expect(await rebuild.exited).toBe(0)
    expect(await shown()).toEqual(expected)
    await until('a search finds it', async () => {
      const hits = await product.read<Page<{ role: string }>>(`/api/search?q=kingfisher-${era}`)
      return hits.items.some(({ role }) => role === 'tool')
    })
    const upstream = await product.read<Page<{ mcp: { peer: string; parent: string } }>>(
      '/api/exchanges?server=echo&rpc=tools/call&protocol=stdio',
    )
    expect(upstream.items.length).toBeGreaterThan(0)
  },
  60_000,
)

test('a secret address, secrets of a server, and what a metadata key says are in no file, job, table or log', async () => {
  const remote = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => new Response('no', { status: 404 }),
  })
  await api('POST', '/api/mcp/servers', {
    ...{ name: 'remote', transport: 'http' },
    url: `http://127.0.0.1:${remote.port}/mcp?token=query-secret-planted`,
    headers: { 'x-odd-name': 'header-secret-planted' },
  })
  const { url_path } = await api<{ url_path: string }>('POST', '/api/mcp/urls', { capture: 'metadata' })
  const secret = url_path.split('/').at(-1) ?? ''
  expect(secret.length).toBeGreaterThan(23)
  for (const era of ['legacy', 'modern'] as const) {
    const client = await connected({ path: url_path, era, headers: { referer: `${product.url}${url_path}` } })
    for (const fail of [false, true]) {
      const answer = await say(client, { text: 'zebrafinch', fail }, { progressToken: 'p1' })
      expect(answer.content).toEqual([{ type: 'text', text: 'heard zebrafinch' }])
    }
    await expect(client.callTool({ name: 'zebrafinch none', arguments: {} })).rejects.toThrow()
    await client.close()
  }
  await fetch(`${product.url}${url_path}x`, { method: 'POST', body: 'zebrafinch' })
  await product.settled()
  await remote.stop(true)

  const modes = await product.sql`
    select distinct x.mode from exchanges x join mcp_exchanges m on m.id = x.id where m.rpc = 'tools/call'`
  expect(modes.map(({ mode }) => mode)).toContain('metadata')
  const failed = await product.sql`select 1 from exchanges where error = 'tool-error' and mode = 'metadata'`
  expect(failed.length).toBeGreaterThan(0)
  const planted = [secret, 'zebrafinch', ...['env', 'query', 'header'].map((one) => `${one}-secret-planted`)]
  const found = [...(await placesOf(product))].flatMap(([name, text]) =>
    planted.filter((word) => text.includes(word)).map((word) => `${word} in ${name}`),
  )
  expect(found).toEqual([])
}, 60_000)
