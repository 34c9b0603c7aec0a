import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { AnyElysia } from 'elysia'
import { type Access, scopes } from '#access'
import { openReading, type Reading } from '#capture'
import { keptRoutes } from '#routes/capture'
import { plantKey, testAccess } from '../access/support.ts'
import { testApp } from '../processes/support.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { quiet } from './store-support.ts'

let database: TestDatabase
let access: Access
let reading: Reading
let app: AnyElysia
let key: string

beforeAll(async () => {
  database = await testDatabase()
  const { sql } = database
  key = (await plantKey(sql, { scopes: scopes.filter((scope) => scope === 'call' || scope === 'read') })).key
  access = await testAccess(sql)
  reading = openReading(database.url, { log: quiet })
  app = testApp(access, { routes: [keptRoutes({ sql, reading, authorise: access.authorise })] })
})
afterAll(async () => {
  await reading.close()
  await access.close()
  await database.drop()
})

async function ask(method: string, path: string, body?: unknown) {
  const init: RequestInit = { method, headers: { authorization: `Bearer ${key}` } }
  if (body !== undefined) init.body = JSON.stringify(body)
  const response = await app.handle(new Request(`http://localhost${path}`, init))
  const text = await response.text()
  return { status: response.status, json: text === '' ? null : JSON.parse(text) }
}

test('startup contexts are set, listed, shown and deleted', async () => {
  expect(
    (await ask('PUT', '/api/contexts/start', { content: 'Read this', set_active: true })).json,
  ).toMatchObject({
    name: 'start',
    is_active: true,
  })
  expect((await ask('GET', '/api/contexts')).json.items).toMatchObject([{ name: 'start' }])
  expect((await ask('GET', '/api/contexts/start')).json.content).toBe('Read this')
  expect((await ask('DELETE', '/api/contexts/start')).status).toBe(409)
  expect((await ask('DELETE', '/api/contexts/start?force=1')).status).toBe(204)
  expect((await ask('GET', '/api/contexts/start')).status).toBe(404)
})

test('logs are stored, found, counted and cleared', async () => {
  const log = { level: 'warn', component: 'c', message: 'slow answer' }
  expect(await ask('POST', '/api/logs', { logs: [log] })).toEqual({
    status: 201,
    json: { inserted_count: 1 },
  })
  expect((await ask('GET', '/api/logs?search=slow&level=INFO')).json.items).toMatchObject([{ level: 'WARN' }])
  expect((await ask('GET', '/api/logs/stats')).json).toMatchObject({ total_count: 1 })
  const before_time = new Date(Date.now() + 1_000).toISOString()
  expect((await ask('POST', '/api/logs/clear', { before_time })).json).toEqual({ deleted_count: 1 })
  const bad = await ask('POST', '/api/logs', { logs: [{ ...log, level: 'LOUD' }] })
  expect([bad.status, bad.json.errors[0].pointer]).toEqual([422, '/logs/0/level'])
})
