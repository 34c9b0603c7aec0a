import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defaultModels, splitModel } from '../../../src/llm/orchestra/models.ts'
import { price } from '../../../src/llm/price.ts'
import { adminKey, plantKey } from '../../access/support.ts'
import { ask } from '../../processes/support.ts'
import { until } from '../../support/until.ts'
import { type OrchestraApp, openOrchestraApp } from './support.ts'

let on: OrchestraApp
let caller: string

beforeAll(async () => {
  on = await openOrchestraApp()
  caller = (await plantKey(on.database.sql, { scopes: ['call'] })).key
  await on.access.refresh()
})
afterAll(() => on.close())

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const init = { method, headers: { authorization: `Bearer ${caller}`, ...headers } }
  return await ask(on.app, path, body === undefined ? init : { ...init, body: JSON.stringify(body) })
}

const admin = { authorization: `Bearer ${adminKey}` }
const send = (body: unknown) => call('POST', '/api/orchestra', body)

describe('a prompt', () => {
  test('goes to many models at once, and one that fails leaves the others their answers', async () => {
    const models = [
      'anthropic/mock-echo',
      'openai/mock-error-500',
      'gemini/mock-echo',
      'nobody/m',
      'groq/mock-echo',
    ]
    const { status, json } = await send({ prompt: 'Good morning', models })
    expect(status).toBe(200)
    const results: { model: string; status: string; text: string | null; error: { code: string } | null }[] =
      json.results
    expect(results.map(({ model }) => model)).toEqual(models)
    expect(results.map((one) => [one.status, one.text, one.error?.code ?? null])).toEqual([
      ['succeeded', 'Good morning', null],
      ['failed', null, 'model-failed'],
      ['succeeded', 'Good morning', null],
      ['failed', null, 'bad-adapter'],
      ['succeeded', 'Good morning', null],
    ])
    expect(json.results[0]).toMatchObject({ tokens: { input: 3, output: 4 }, stop: 'end' })
    expect(json.results[0].ms).toBeGreaterThanOrEqual(0)
  })

  test('is on record once for each model, as one conversation, for whoever sent it', async () => {
    const { json } = await send({ prompt: 'Hi', models: ['anthropic/mock', 'openai/mock-error-500'] })
    for (const { exchange_id } of json.results) {
      const { open } = await on.asking.gateway.record(exchange_id)
      expect(open).toMatchObject({ tenant: 'default', tags: ['orchestra', `orchestra:${json.id}`] })
      expect(open.request_headers).toContainEqual(['sluice-conversation', `orchestra-${json.id}`])
      expect(open.key_id).not.toBeNull()
    }
  })

  test('costs what its models cost', async () => {
    const { json } = await send({
      prompt: 'x'.repeat(40_000),
      models: ['anthropic/claude-opus-4-5', 'vllm/own'],
    })
    const [opus, own] = json.results
    expect(opus.cost_micros).toBeGreaterThan(40_000)
    expect(own.cost_micros).toBe(0)
    expect(json.total).toMatchObject({ cost_micros: opus.cost_micros, unpriced: 0 })
  })

  test('brings its files to every dialect', async () => {
    const pixel =
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
    const files = [
      { name: 'notes.txt', text: 'buy milk' },
      { name: 'dot.png', media_type: 'image/png', base64: pixel },
    ]
    const models = ['anthropic/mock', 'openai/mock', 'gemini/mock']
    const { json } = await send({ prompt: 'What is it?', files, models })
    for (const { exchange_id, model } of json.results) {
      const { request } = await on.asking.gateway.record(exchange_id)
      const text = new TextDecoder().decode(request)
      expect([model, text.includes('buy milk'), text.includes(pixel)]).toEqual([model, true, true])
    }
  })

  test('measures how far the answers agree, and keeps who dissents', async () => {
    const models = ['anthropic/mock-echo', 'openai/mock-echo', 'gemini/mock']
    const { json } = await send({ prompt: 'Forty-two', models, consensus: {} })
    expect(json.consensus).toMatchObject({ reached: true, needed: 2, agreement: 2 / 3, by: 'words' })
    expect(json.consensus.groups[1].models).toEqual(['gemini/mock'])
    const strict = await send({ prompt: 'Forty-two', models, consensus: { k: 3 } })
    expect(strict.json.consensus.reached).toBe(false)
  })

  test('counts by words where the judge cannot be understood, and says so', async () => {
    const models = ['anthropic/mock-echo', 'openai/mock-echo']
    const { json } = await send({ prompt: 'Hi', models, consensus: { judge: 'groq/mock-error-400' } })
    expect(json.consensus.by).toBe('words')
    expect(json.warnings[0]).toContain('groq/mock-error-400')
  })

  test('is summed up by a model that sees all answers', async () => {
    const models = ['anthropic/mock-echo', 'openai/mock-echo']
    const { json } = await send({ prompt: 'a red apple', models, summary: { model: 'groq/mock-echo' } })
    expect(json.summary.status).toBe('succeeded')
    for (const model of models) expect(json.summary.text).toContain(`<answer model="${model}">`)
  })

  test('that asks for too much is refused with the limits', async () => {
    const eleven = Array.from({ length: 11 }, (_, index) => `mock/m${index}`)
    for (const [body, pointer] of [
      [{ prompt: 'x', models: eleven }, '/models'],
      [{ prompt: 'x', models: ['mock/a', 'mock/a'] }, '/models'],
      [{ prompt: 'x', models: ['no-slash'] }, '/models/0'],
      [{ prompt: '' }, '/prompt'],
      [{ prompt: 'x', files: [{ name: 'a', text: 'a', base64: '' }] }, '/files/0'],
      [{ prompt: 'x', files: [{ name: 'a', media_type: 'application/zip', base64: 'AAAA' }] }, '/files/0'],
    ] as const) {
      const { status, json } = await send(body)
      expect([status, json.errors[0].pointer]).toEqual([422, pointer])
    }
    expect((await send({ prompt: 'x'.repeat(13 * 1024 * 1024) })).status).toBe(422)
  })
})

describe('as events', () => {
  test('each model speaks as it goes, and the whole comes last', async () => {
    const models = ['anthropic/mock-long-5', 'openai/mock-error-500']
    const { text } = await call(
      'POST',
      '/api/orchestra',
      { prompt: 'Hi', models, consensus: {} },
      { accept: 'text/event-stream' },
    )
    const events = [...text.matchAll(/event: (\w+)\ndata: (.*)\n/g)].map(([, name, data]) => ({
      name,
      data: JSON.parse(data ?? ''),
    }))
    const names = events.map(({ name }) => name)
    expect(names[0]).toBe('started')
    expect(names.at(-1)).toBe('done')
    expect(names.filter((name) => name === 'result').length).toBe(2)
    const said = events.flatMap(({ name, data }) => (name === 'text' ? [data.text] : []))
    expect(said.length).toBe(5)
    expect(events.at(-1)?.data.results[0].text).toBe(said.join(''))
  })

  test('a client that leaves takes its calls with it', async () => {
    const leaving = new AbortController()
    const response = await on.app.handle(
      new Request('http://localhost/api/orchestra', {
        ...{ method: 'POST', signal: leaving.signal },
        headers: { authorization: `Bearer ${caller}`, accept: 'text/event-stream' },
        body: JSON.stringify({
          prompt: 'Hi',
          models: ['anthropic/mock-slow-20+long-500', 'openai/mock-slow-20+long-500'],
        }),
      }),
    )
    await until('two calls under way', () => on.asking.gateway.underWay() === 2)
    await response.body?.cancel()
    await until('no call under way', () => on.asking.gateway.underWay() === 0)
  })

  test('a model that takes too long is told so', async () => {
    const { json } = await send({
      prompt: 'Hi',
      models: ['mock/mock-slow-5000', 'mock/mock'],
      timeout_seconds: 2,
    })
    expect(json.results.map(({ status }: { status: string }) => status)).toEqual(['failed', 'succeeded'])
    expect(json.results[0].error).toMatchObject({ code: 'timeout', status: 504 })
  })
})

describe('settings', () => {
  test('ten models of at least five providers come by default, each with a price', async () => {
    const { json } = await call('GET', '/api/orchestra')
    expect(json).toMatchObject({ are_default: true, folder: null, models: defaultModels })
    expect(defaultModels.length).toBe(10)
    expect(new Set(defaultModels.map((name) => splitModel(name).provider)).size).toBeGreaterThanOrEqual(5)
    const usage = {
      input: 1,
      output: 1,
      cache_read: 0,
      cache_write: 0,
      cache_write_1h: 0,
      reasoning: 0,
      final: true,
    }
    const unpriced = defaultModels.filter(
      (name) => price({ ...splitModel(name), usage, at: Date.now() }) === null,
    )
    expect(unpriced).toEqual([])
    const listed = await call('GET', '/api/orchestra/models')
    expect(listed.json.items.length).toBe(10)
    expect(listed.json.items[0]).toMatchObject({
      provider: 'anthropic',
      selected: true,
      ready: true,
      problems: [],
    })
  })

  test('models that are set are asked, until they are unset, by one tenant only', async () => {
    await on.database.sql`insert into tenants (id, name) values ('there', 'There')`
    const there = await plantKey(on.database.sql, { tenant: 'there', scopes: ['call'] })
    await on.access.refresh()
    const set = await call('PUT', '/api/orchestra/models', { models: ['mock/mock-echo'] })
    expect(set.json).toMatchObject({ models: ['mock/mock-echo'], are_default: false })
    const { json } = await send({ prompt: 'Hi' })
    expect(json.results.map(({ model }: { model: string }) => model)).toEqual(['mock/mock-echo'])
    const other = await call('GET', '/api/orchestra', undefined, { authorization: `Bearer ${there.key}` })
    expect(other.json.are_default).toBe(true)
    const unset = await call('PUT', '/api/orchestra/models', { models: null })
    expect(unset.json.are_default).toBe(true)
  })

  test('answers are written to files where a folder is set, but not for a key that records no content', async () => {
    const set = await call('PUT', '/api/orchestra/output', { folder: 'reviews' }, admin)
    expect(set.json.folder).toBe('reviews')
    const { json } = await send({ prompt: 'Keep this', models: ['mock/mock-echo', 'mock/mock-error-500'] })
    expect(json.results[1].file).toBeNull()
    const path = join(on.folder, 'default', 'reviews', json.results[0].file)
    expect(await readFile(path, 'utf8')).toBe('Keep this')
    const quiet = await plantKey(on.database.sql, { scopes: ['call'], capture: 'metadata' })
    await on.access.refresh()
    const body = { prompt: 'Hush', models: ['mock/mock-echo'] }
    const none = await call('POST', '/api/orchestra', body, { authorization: `Bearer ${quiet.key}` })
    expect(none.json.results[0]).toMatchObject({ text: 'Hush', file: null })
    expect(none.json.warnings).toEqual(['No files: this key records no content'])
    for (const folder of ['../up', '.hidden', 'a/b', ''])
      expect((await call('PUT', '/api/orchestra/output', { folder }, admin)).status).toBe(422)
    await call('PUT', '/api/orchestra/output', { folder: null }, admin)
  })

  test('a key goes in, is used, is listed without itself, and goes', async () => {
    const secret = 'sk-very-secret-of-orchestra'
    const of = () => on.asking.providers.find('xai')?.keys.keys.map((one) => one.secret) ?? []
    expect((await call('PUT', '/api/orchestra/keys/xai', { key: secret }, admin)).status).toBe(204)
    expect(of()).toContain(secret)
    await call('PUT', '/api/orchestra/keys/xai', { key: `${secret}-2` }, admin)
    expect(of()).not.toContain(secret)
    const listed = await call('GET', '/api/orchestra/keys', undefined, admin)
    expect(listed.json.items.filter((one: { provider: string }) => one.provider === 'xai').length).toBe(2)
    expect(listed.text).not.toContain('secret')
    const [row] = await on.database.sql<{ sealed: string }[]>`select sealed from provider_keys`
    expect(row?.sealed).not.toContain('secret')
    expect((await call('DELETE', '/api/orchestra/keys/xai', undefined, admin)).status).toBe(204)
    expect((await call('DELETE', '/api/orchestra/keys/xai', undefined, admin)).status).toBe(404)
    expect((await call('PUT', '/api/orchestra/keys/nobody', { key: secret }, admin)).status).toBe(404)
    expect(of()).toEqual(['sk-of-the-gateway'])
  })
})
