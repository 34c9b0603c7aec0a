import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { spawnProcess, type TestProcess } from '../../support/process.ts'
import { until } from '../../support/until.ts'

setDefaultTimeout(60_000)

const adminKey = 'sk-sluice-admin-of-the-routing-tests'
let database: TestDatabase
let upstream: ReturnType<typeof Bun.serve>
const folders: string[] = []
const gateways: { process: TestProcess; url: string }[] = []
const seen: { key: string | null }[] = []

/** Two gateways on one database, each with a folder of its own. */
beforeAll(async () => {
  database = await testDatabase()
  upstream = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      seen.push({ key: request.headers.get('authorization') })
      return Response.json({ id: 'x', object: 'chat.completion', choices: [], model: 'm' })
    },
  })
  await Promise.all([startGateway(), startGateway()])
})

afterAll(async () => {
  await Promise.all(gateways.map(({ process }) => process.kill()))
  await upstream.stop(true)
  await database.drop()
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })))
})

async function startGateway(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-routing-'))
  folders.push(dataDir)
  const env = {
    ...{ DATABASE_URL: database.url, DATA_DIR: dataDir, ADMIN_KEY: adminKey, PORT: '0', LOG_LEVEL: 'info' },
    SECRET_KEY: 'a secret that all gateways share, in the tests',
    PASS_THROUGH_KEYS: 'off',
  }
  const process = spawnProcess(['bun', 'src/processes/gateway.ts'], { env })
  const line = await process.line(/"msg":"ready"/, 30_000)
  gateways.push({ process, url: `http://127.0.0.1:${(JSON.parse(line) as { port: number }).port}` })
}

async function ask(index: number, method: string, path: string, body?: object) {
  const response = await fetch(`${gateways[index]?.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${adminKey}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return {
    status: response.status,
    text,
    json: text === '' ? null : JSON.parse(text),
    headers: response.headers,
  }
}

const chat = { model: 'fast', messages: [{ role: 'user', content: 'hi' }] }

test('a provider, its key and a rule that one gateway was told of are in force on the other within a second', async () => {
  const base_url = `http://127.0.0.1:${upstream.port}`
  expect((await ask(0, 'PUT', '/api/providers/mine', { base_url, open: false })).status).toBe(200)
  const key = await ask(0, 'POST', '/api/providers/mine/keys', { key: 'sk-secret-of-mine', name: 'first' })
  expect([key.status, key.json.last4]).toEqual([201, 'mine'])
  const route = { match: { models: ['fast'] }, candidates: [{ provider: 'mine', model: 'm' }] }
  const made = await ask(0, 'POST', '/api/routes', { name: 'fast', ...route })
  expect(made.status).toBe(201)

  const from = performance.now()
  await until('the other gateway routes', async () => {
    const { headers } = await ask(1, 'POST', '/v1/chat/completions', chat)
    return headers.get('sluice-route') === 'fast'
  })
  expect(performance.now() - from).toBeLessThan(1_000)
  expect(seen.at(-1)?.key).toBe('Bearer sk-secret-of-mine')

  await ask(1, 'PUT', '/api/routes/fast', { ...route, enabled: false })
  await until(
    'the first gateway takes it back',
    async () => {
      const { headers } = await ask(0, 'POST', '/v1/chat/completions', chat)
      return headers.get('sluice-route') === null
    },
    1_000,
  )
  await ask(0, 'PUT', '/api/routes/fast', { ...route, enabled: true })
})

test('a stored key is encrypted, and shown nowhere', async () => {
  for (const path of ['/api/providers', '/api/providers/mine']) {
    const { text } = await ask(0, 'GET', path)
    expect(text).not.toContain('sk-secret')
    expect(text).toContain('"last4":"mine"')
  }
  const rows = await database.sql<{ sealed: string }[]>`select sealed from provider_keys`
  expect(rows[0]?.sealed).toStartWith('v1.')
  expect(JSON.stringify(rows)).not.toContain('sk-secret')
})

test('a dry run says which rule matches and why, and asks nobody', async () => {
  const before = seen.length
  const { json } = await ask(0, 'POST', '/api/routes/dry-run', {
    path: '/v1/messages',
    body: { ...chat, max_tokens: 1 },
  })
  expect(json).toMatchObject({
    ...{ route: 'fast', model: 'fast', dialect: 'anthropic', native_provider: 'anthropic', refusal: null },
    candidates: [
      { provider: 'mine', model: 'm', translated_to: 'openai-chat', breaker: 'closed', problem: null },
    ],
    rules: [{ route: 'fast', matches: true, because: 'models ["fast"]' }],
  })
  const other = await ask(0, 'POST', '/api/routes/dry-run', { path: '/v1/messages', model: 'slow' })
  expect(other.json).toMatchObject({
    route: null,
    rules: [{ matches: false, because: 'model is "slow": it wants ["fast"]' }],
  })
  expect(seen.length).toBe(before)
})

test('a dry run of a call that names its provider asks the binding rules only', async () => {
  const rule = { candidates: [{ provider: 'mock' }], policy: 'compliance_local_only', binding: true }
  expect((await ask(0, 'PUT', '/api/routes/kept', { ...rule, match: { tags: ['kept'] } })).status).toBe(201)
  const named = { path: '/p/anthropic/v1/messages', model: 'fast' }
  const free = await ask(0, 'POST', '/api/routes/dry-run', named)
  expect(free.json).toMatchObject({ route: null, refusal: null, native_provider: 'anthropic' })
  const kept = await ask(0, 'POST', '/api/routes/dry-run', { ...named, tags: ['kept'] })
  expect(kept.json).toMatchObject({
    refusal: { status: 403, code: 'kept-local' },
    rules: [{ route: 'kept', matches: true }],
  })
  await ask(0, 'DELETE', '/api/routes/kept')
})

test('a call is explained by its header, asks nobody, and is on record', async () => {
  const before = seen.length
  const response = await fetch(`${gateways[0]?.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}`, 'sluice-dry-run': '1' },
    body: JSON.stringify(chat),
  })
  expect((await response.json()) as object).toMatchObject({
    route: 'fast',
    candidates: [{ provider: 'mine' }],
  })
  expect(response.headers.get('sluice-exchange')).not.toBeNull()
  expect(seen.length).toBe(before)
})

test('what is wrong with a rule is said with its place', async () => {
  const bad: [object, string][] = [
    [{ name: 'x', candidates: [{ provider: 'mine', wieght: 2 }] }, '/candidates/0/wieght'],
    [{ name: 'x' }, '/candidates'],
    [{ name: 'X Y', candidates: [{ provider: 'mine' }] }, '/name'],
    [
      { name: 'x', candidates: [{ provider: 'mine' }], fallback: { statuses: ['9xx'] } },
      '/fallback/statuses/0',
    ],
  ]
  for (const [body, pointer] of bad) {
    const { status, json } = await ask(0, 'POST', '/api/routes', body)
    expect([status, json.errors[0].pointer]).toEqual([422, pointer])
  }
  expect(
    (await ask(0, 'POST', '/api/routes', { name: 'fast', candidates: [{ provider: 'mine' }] })).status,
  ).toBe(409)
  expect((await ask(0, 'GET', '/api/routes/none')).status).toBe(404)
})

test('models are listed over providers where there are rules, in the shape of the client’s dialect', async () => {
  const openai = await ask(0, 'GET', '/v1/models')
  expect(openai.json.data.map(({ id }: { id: string }) => id)).toContain('m')
  const response = await fetch(`${gateways[0]?.url}/v1/models`, {
    headers: { 'x-api-key': adminKey, 'anthropic-version': '2023-06-01' },
  })
  const listed = (await response.json()) as { data: { id: string; type: string }[] }
  expect(listed.data).toContainEqual(expect.objectContaining({ id: 'mock', type: 'model' }))
  const own = await ask(0, 'GET', '/api/models')
  expect(own.json.items).toContainEqual({ provider: 'mine', model: 'm' })
})

test('a reset reaches every gateway', async () => {
  expect((await ask(1, 'POST', '/api/providers/mine/reset')).status).toBe(200)
  const { json } = await ask(0, 'GET', '/api/providers/mine')
  expect(json.breaker.state).toBe('closed')
})
