import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import zlib from 'node:zlib'
import { openCommits, openSpool, type RecordedExchange } from '#capture'
import { releaser } from '#lib/release'
import { openProviders, openProxy } from '#llm'
import { until } from '../support/until.ts'
import { type Fixture, openFixture } from './reading-support.ts'
import { handlerOn, job, quiet, recorded } from './store-support.ts'

setDefaultTimeout(60_000)

type Seen = { url: string; headers: Headers; body: Uint8Array }

const held = releaser()
const seen: Seen[] = []
let fixture: Fixture

/** The gateway's own proxy and spool, and an upstream that answers with what it was asked. */
beforeAll(async () => {
  const upstream = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const body = await request.bytes()
      seen.push({ url: request.url, headers: new Headers(request.headers), body })
      return new Response(`data: ${body.length}\n\n`, {
        status: 201,
        headers: { 'content-type': 'text/event-stream' },
      })
    },
  })
  held.add('upstream', () => upstream.stop(true))
  const baseUrl = `http://127.0.0.1:${upstream.port}`
  const providers = openProviders({
    anthropic: { baseUrl, apiKey: 'sk-ant-of-the-gateway' },
    openai: { baseUrl, apiKey: 'sk-of-the-gateway' },
  })
  fixture = await openFixture({
    replay: (request, options) => replayed(request, options),
    speaks: (name, dialect) => providers.dialectOf(name)?.split('-')[0] === dialect.split('-')[0],
  })
  held.add('fixture', fixture.release)
  const dir = await mkdtemp(join(tmpdir(), 'sluice-replay-'))
  held.add('folder', () => rm(dir, { recursive: true, force: true }))
  const handler = handlerOn(fixture.database.sql)
  held.add('handler', handler.close)
  const spool = await openSpool({
    ...{ dir, maxBytes: 64 * 1024 * 1024, whenFull: 'block', log: quiet },
    producer: { enqueue: async (payload) => void (await handler(payload, job)) },
    commits: openCommits(fixture.database.sql),
  })
  held.add('spool', () => spool.close())
  const proxy = openProxy({
    ...{ authenticate: fixture.access.authenticate, spool, log: quiet, clientGone: 'cancel', providers },
    ...{ bodyMaxBytes: 1_000_000, connectTimeoutMs: 1_000, idleTimeoutMs: 1_000 },
  })
  held.add('proxy', proxy.close)
  function replayed(
    request: Request,
    { principal, replayOf, named: _, ...target }: Parameters<NonNullable<Replayed>>[1],
  ) {
    const replay = { caller: { principal, passThrough: false }, of: replayOf }
    return proxy.handle(request, { ...target, replay }, null)
  }
})

afterAll(() => held.releaseAll())

type Replayed = NonNullable<Parameters<typeof openFixture>[0]>['replay']

const body = '{ "model" : "old-model" , "max_tokens": 1.0e2, "messages":[{"role":"user","content":"ž"}] }'

async function planted(
  request: string | Uint8Array,
  changes: {
    path?: string
    headers?: [string, string][]
    dialect?: string
    provider?: string
    tenant?: string
  } = {},
): Promise<RecordedExchange> {
  const {
    path = '/v1/messages?beta=true',
    headers = [],
    dialect = 'anthropic',
    provider = 'anthropic',
  } = changes
  const exchange = recorded(Buffer.from(request), Buffer.from('{}'), {
    open: {
      ...{ tenant: changes.tenant ?? 'a', path, dialect, provider },
      request_headers: [
        ['anthropic-version', '2023-06-01'],
        ['content-length', '999'],
        ['host', 'elsewhere'],
        ['sluice-tags', 'old'],
        ['accept-encoding', 'br'],
        ...headers,
      ],
    },
  })
  await fixture.store([exchange])
  return exchange
}

async function replay(exchange: RecordedExchange, asked?: object, key = fixture.keys.a) {
  seen.length = 0
  return await fixture.ask(`/api/exchanges/${exchange.open.id}/replay`, { method: 'POST', body: asked, key })
}

describe('replaying an exchange', () => {
  test('sends the same bytes with the key of the gateway, as a new exchange', async () => {
    const exchange = await planted(body)
    const answer = await replay(exchange)
    expect([answer.status, answer.text]).toEqual([201, `data: ${Buffer.from(body).length}\n\n`])
    expect(new URL(seen[0]?.url ?? '').pathname).toBe('/v1/messages')
    expect(new URL(seen[0]?.url ?? '').search).toBe('?beta=true')
    expect(Buffer.from(seen[0]?.body ?? []).toString()).toBe(body)
    expect(seen[0]?.headers.get('x-api-key')).toBe('sk-ant-of-the-gateway')
    expect(seen[0]?.headers.get('anthropic-version')).toBe('2023-06-01')
    expect(seen[0]?.headers.get('sluice-tags')).toBeNull()
    expect(seen[0]?.headers.get('accept-encoding')).toBe('identity')
    const id = answer.headers.get('sluice-exchange')
    expect(id).not.toBe(exchange.open.id)
    await until(
      'it is stored',
      async () => (await fixture.ask(`/api/exchanges/${id}`)).status === 200,
      10_000,
    )
    const { json } = await fixture.ask(`/api/exchanges/${id}`)
    expect(json).toMatchObject({
      replay_of: exchange.open.id,
      tenant: 'a',
      // What steered the recorded call is not said again.
      tags: [],
      outcome: 'completed',
      status: 201,
    })
  })

  test('with another model changes only its bytes, also in a compressed body', async () => {
    const wanted = body.replace('"old-model"', '"new"')
    await replay(await planted(body), { model: 'new' })
    expect(Buffer.from(seen[0]?.body ?? []).toString()).toBe(wanted)
    const packed = await planted(zlib.zstdCompressSync(body), { headers: [['content-encoding', 'zstd']] })
    await replay(packed, { model: 'new' })
    expect(Buffer.from(seen[0]?.body ?? []).toString()).toBe(wanted)
    expect(seen[0]?.headers.get('content-encoding')).toBeNull()
  })

  test('to another provider of the same API goes there', async () => {
    const path = '/v1/chat/completions'
    const chat = await planted(body, { path, dialect: 'openai-chat', provider: 'groq' })
    expect((await replay(chat, { provider: 'openai' })).status).toBe(201)
    expect(new URL(seen[0]?.url ?? '').pathname).toBe(path)
    expect(seen[0]?.headers.get('authorization')).toBe('Bearer sk-of-the-gateway')
    const named = await planted(body, {
      path: `/p/openai${path}`,
      dialect: 'openai-chat',
      provider: 'openai',
    })
    await replay(named)
    expect(new URL(seen[0]?.url ?? '').pathname).toBe(path)
  })

  test.each<[string, object]>([
    ['other-dialect', { provider: 'openai' }],
    ['bad-body', { model: 7 }],
    ['bad-body', { modle: 'x' }],
  ])('is refused as %s', async (code, asked) => {
    const answer = await replay(await planted(body), asked)
    expect(answer.status).toBe(422)
    expect(answer.json).toMatchObject({ type: `urn:sluice:problem:${code}` })
    expect(seen.length).toBe(0)
  })

  test('has nothing to replace in a body without a model', async () => {
    expect((await replay(await planted('not json'), { model: 'new' })).status).toBe(422)
    expect((await replay(await planted('not json'))).status).toBe(201)
  })

  test('D12: of another tenant is 404, and an admin replays within that tenant', async () => {
    const exchange = await planted(body, { tenant: 'b' })
    expect((await replay(exchange)).status).toBe(404)
    expect(seen.length).toBe(0)
    const answer = await replay(exchange, {}, fixture.keys.admin)
    const path = `/api/exchanges/${answer.headers.get('sluice-exchange')}`
    await until(
      'it is stored',
      async () => (await fixture.ask(path, { key: fixture.keys.b })).status === 200,
      10_000,
    )
  })
})
