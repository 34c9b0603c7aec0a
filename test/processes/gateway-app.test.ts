import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { type Access, scopes } from '#access'
import { SluiceError } from '#lib/errors'
import { accessRoutes } from '#routes/access'
import { testAccess } from '../access/support.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { ask, testApp } from './support.ts'

let database: TestDatabase
let access: Access

beforeAll(async () => {
  database = await testDatabase()
  access = await testAccess(database.sql)
})

afterAll(async () => {
  await access.close()
  await database.drop()
})

/** Routes such as domains have. */
function sampleRoutes() {
  return new Elysia()
    .post('/v1/messages', ({ request }) => new Response(request.body), { parse: 'none' })
    .all('/p/:provider/*', ({ request }) => new Response(request.method), { parse: 'none' })
    .get('/fails/known', () =>
      Promise.reject(new SluiceError(409, 'taken', 'It is taken', { headers: { x: 'y' } })),
    )
    .get('/fails/unknown', () => {
      throw new Error('password=hunter2')
    })
    .get('/fails/database', () => Promise.reject(Object.assign(new Error('no'), { code: 'ECONNREFUSED' })))
    .post('/parsed', ({ body }) => body, { body: z.object({ a: z.string() }) })
}

describe('errors are problem JSON, made in one place', () => {
  const cases: [string, RequestInit, number, string][] = [
    ['/fails/known', {}, 409, 'taken'],
    ['/fails/unknown', {}, 500, 'internal'],
    ['/fails/database', {}, 503, 'database-down'],
    ['/nothing/here', {}, 404, 'unknown-path'],
    ['/v1/messages', { method: 'GET' }, 405, 'wrong-method'],
    ['/api/keys', { method: 'PATCH' }, 405, 'wrong-method'],
    [
      '/parsed',
      { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } },
      400,
      'bad-json',
    ],
    [
      '/parsed',
      { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } },
      422,
      'bad-body',
    ],
  ]
  for (const [path, init, status, code] of cases) {
    test(`${init.method ?? 'GET'} ${path} is ${status} ${code}`, async () => {
      const app = testApp(access, { routes: [sampleRoutes(), accessRoutes({ sql: database.sql, access })] })
      const { status: got, json, headers, text } = await ask(app, path, init)
      expect(got).toBe(status)
      expect(headers.get('content-type')).toBe('application/problem+json')
      expect(json).toMatchObject({ type: `urn:sluice:problem:${code}`, status })
      expect(text).not.toContain('hunter2')
    })
  }

  test('a wrong method is told the right ones', async () => {
    const app = testApp(access, { routes: [sampleRoutes(), accessRoutes({ sql: database.sql, access })] })
    const id = crypto.randomUUID()
    expect((await ask(app, '/v1/messages')).headers.get('allow')).toBe('POST')
    expect((await ask(app, `/api/keys/${id}`, { method: 'PUT' })).headers.get('allow')).toBe(
      'DELETE, GET, HEAD',
    )
    const options = await ask(app, '/api/keys', { method: 'OPTIONS' })
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, POST'])
  })
})

describe('over a real socket', () => {
  test('T11: HEAD is answered where GET is', async () => {
    await withServer(async (url) => {
      for (const path of ['/', '/docs', '/health']) {
        const response = await fetch(url + path, { method: 'HEAD' })
        expect([path, response.status, await response.text()]).toEqual([path, 200, ''])
      }
    })
  })

  test('odd paths and methods are answered, and break nothing', async () => {
    await withServer(async (url) => {
      for (const path of ['/%00', '/%zz', '/api/keys/%2e%2e', '/a'.repeat(2_000), '/api/keys/%F0%9F'])
        expect([401, 404]).toContain((await fetch(url + path)).status)
      expect((await fetch(`${url}/health`, { method: 'PROPFIND' })).status).toBe(405)
      expect((await fetch(`${url}/p/mock/anything`, { method: 'PROPFIND' })).status).toBe(200)
      expect((await fetch(`${url}/health`)).status).toBe(200)
    })
  })

  test('a proxied body is neither parsed nor held, whatever its type says', async () => {
    await withServer(async (url) => {
      for (const type of [
        'application/json',
        'multipart/form-data',
        'application/x-www-form-urlencoded',
        '',
      ]) {
        const bytes = crypto.getRandomValues(new Uint8Array(100_000))
        const init = { method: 'POST', body: bytes, headers: { 'content-type': type } }
        const response = await fetch(`${url}/v1/messages`, init)
        expect(response.status).toBe(200)
        expect(Bun.SHA256.hash(await response.bytes(), 'hex')).toBe(Bun.SHA256.hash(bytes, 'hex'))
      }
    })
  })

  async function withServer(work: (url: string) => Promise<void>): Promise<void> {
    const app = testApp(access, { routes: [sampleRoutes(), accessRoutes({ sql: database.sql, access })] })
    app.listen({ port: 0, hostname: '127.0.0.1' })
    try {
      await work(`http://127.0.0.1:${app.server?.port}`)
    } finally {
      await app.stop(true)
    }
  }
})

describe('/openapi.json and /docs', () => {
  test('name every route of ours with its scope, input and answer', async () => {
    const app = testApp(access, { routes: [sampleRoutes(), accessRoutes({ sql: database.sql, access })] })
    const { json } = await ask(app, '/openapi.json')
    expect(json.openapi).toBe('3.1.0')
    for (const route of app.routes) {
      const path = route.path.replace(/:(\w+)/g, '{$1}').replace('*', '{path}')
      const methods = Object.keys(json.paths[path] ?? {})
      expect([route.path, methods.length > 0]).toEqual([route.path, true])
      if (route.method !== 'ALL') expect(methods).toContain(route.method.toLowerCase())
    }
    const create = json.paths['/api/keys'].post
    expect(create.security).toEqual([{ key: ['keys'] }])
    const body = create.requestBody.content['application/json'].schema
    expect(body.properties.scopes.items.enum).toEqual([...scopes])
    expect(create.responses['201'].content['application/json'].schema.properties.key.type).toBe('string')
    expect(create.responses.default.content['application/problem+json'].schema.$ref).toBe(
      '#/components/schemas/Problem',
    )
    const list = json.paths['/api/keys'].get
    expect(list.parameters.map((one: { name: string }) => one.name)).toEqual(['limit', 'cursor', 'tenant'])
    expect(json.paths['/api/keys/{id}'].get.parameters[0]).toMatchObject({
      name: 'id',
      in: 'path',
      required: true,
    })
    expect(json.paths['/p/{provider}/{path}'].patch.parameters).toHaveLength(2)
    const ids = Object.values(json.paths as Record<string, Record<string, { operationId: string }>>).flatMap(
      (methods) => Object.values(methods).map((operation) => operation.operationId),
    )
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('the page needs no script and nothing from elsewhere', async () => {
    const app = testApp(access, { routes: [sampleRoutes(), accessRoutes({ sql: database.sql, access })] })
    const { text, headers } = await ask(app, '/docs')
    expect(headers.get('content-security-policy')).toStartWith("default-src 'none'")
    expect(text).toContain('/api/keys/{id}/revoke')
    expect(text).not.toMatch(/<script|https?:\/\//)
  })
})
