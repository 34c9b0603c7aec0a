import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { AnyElysia } from 'elysia'
import type { Access } from '#access'
import { adminKey, testAccess } from '../access/support.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { answerOf, type Case, casesOf, guarded } from './cases.ts'
import { ask, testApp } from './support.ts'
import { openRoutes } from './whole-app.ts'

let database: TestDatabase
let access: Access
let app: AnyElysia
let opened: Awaited<ReturnType<typeof openRoutes>>
let cookie: string

beforeAll(async () => {
  database = await testDatabase()
  access = await testAccess(database.sql, { passThrough: false })
  opened = await openRoutes({ database, access, proxied: access })
  app = testApp(access, { routes: opened.routes })
  const answer = await ask(app, '/api/login', {
    method: 'POST',
    headers: { 'sec-fetch-site': 'same-origin', 'sluice-csrf': '1' },
    body: JSON.stringify({ key: adminKey }),
  })
  cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? ''
})

afterAll(async () => {
  await opened.release()
  await access.close()
  await database.drop()
})

const changes = ({ method }: Case) => !['GET', 'HEAD'].includes(method)

/** bull-board's page sends no header of ours; that it is a page of ours, its browser says. */
const onBoard = ({ path }: Case) => path.startsWith('/queues/board')

const isMcp = ({ path }: Case) => /^\/(mcp|sse|messages)/.test(path)

async function refused(cases: Case[], headers: Record<string, string>): Promise<void> {
  expect(cases.length).toBeGreaterThan(10)
  for (const one of cases) {
    const response = await answerOf(app, one, { headers: { cookie, ...headers } })
    // MCP has its own form of errors, which carries the code all the same.
    const told = (await response.text()).includes('cross-site')
    expect([one.name, response.status, told || isMcp(one)]).toEqual([one.name, 403, true])
  }
}

test('Q8: with a session alone, no route that changes anything does so for another site', async () => {
  const cases = guarded(app).filter(changes)
  await refused(cases, {})
  await refused(cases, { 'sec-fetch-site': 'cross-site', 'sluice-csrf': '1' })
  await refused(cases, { 'sec-fetch-site': 'same-site', 'sluice-csrf': '1' })
  await refused(cases, { origin: 'http://evil.example', host: 'localhost', 'sluice-csrf': '1' })
  const own = { 'sec-fetch-site': 'same-origin' }
  await refused(
    cases.filter((one) => !onBoard(one)),
    own,
  )
})

test('Q8: with a session alone, no route is read for another site', async () => {
  const cases = guarded(app).filter(({ method }) => method === 'GET')
  await refused(cases, { 'sec-fetch-site': 'cross-site' })
})

test('a session is nothing to the proxy', async () => {
  const cases = casesOf(app).filter(({ rule }) => rule === 'proxied')
  expect(cases.length).toBeGreaterThan(3)
  for (const one of cases) {
    const headers = { cookie, 'sec-fetch-site': 'same-origin', 'sluice-csrf': '1' }
    const { status } = await answerOf(app, one, { headers })
    expect([one.name, status]).toEqual([one.name, 401])
  }
})

test('every page says that it runs its own scripts alone, in nobody’s frame', async () => {
  const pages = casesOf(app).filter(({ method, answer }) => method === 'GET' && answer === 'text/html')
  expect(pages.map(({ path }) => path)).toContain('/docs')
  for (const one of pages) {
    const { headers } = await answerOf(
      app,
      { ...one, path: one.path.replace('board/x', 'board') },
      {
        headers: { authorization: `Bearer ${adminKey}` },
      },
    )
    const policy = headers.get('content-security-policy') ?? ''
    const found = [one.name, /default-src 'none'/.test(policy), /frame-ancestors 'none'/.test(policy)]
    expect(found).toEqual([one.name, true, true])
    expect([one.name, headers.get('x-content-type-options')]).toEqual([one.name, 'nosniff'])
    expect([one.name, /script-src[^;]*unsafe/.test(policy)]).toEqual([one.name, false])
  }
})
