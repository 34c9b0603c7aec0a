import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Principal } from '#access'
import { openVault } from '#lib/vault'
import { openStore } from '#store'
import { openSessions, type Sessions } from '../../../src/mcp/session/sessions.ts'
import { sessionTokens } from '../../../src/mcp/session/token.ts'
import { quiet } from '../../capture/store-support.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { until } from '../../support/until.ts'

let database: TestDatabase
const opened: Sessions[] = []
const secret = 'a secret of the tests, long enough for all'
const tokens = sessionTokens(secret)
const vault = openVault(secret)
const claims = {
  ...{ tenant: 'acme', keyId: 'a', portal: null, version: '2025-11-25', info: '{}', capabilities: '{}' },
}
const who = (tenant: string, keyId: string | null): Principal => ({
  ...{ tenant, keyId, scopes: new Set(), capture: 'full', tags: [] },
})
const owner = who('acme', 'a')

beforeAll(async () => {
  database = await testDatabase()
}, 40_000)

afterAll(async () => {
  for (const sessions of opened) await sessions.close()
  await database.drop()
})

function gateway(): Sessions {
  const sessions = openSessions({ sql: database.sql, log: quiet, tokens, vault })
  opened.push(sessions)
  return sessions
}

test('a session is known to every gateway by its id alone', async () => {
  const { token } = gateway().open(claims)
  const found = await gateway().find(token, owner, null)
  expect(found?.claims).toMatchObject(claims)
  expect(found?.heard).toBe(true)
})

test('a session is of one key, of one tenant, at one portal', async () => {
  const sessions = gateway()
  const { token } = sessions.open(claims)
  expect(await sessions.find(token, who('acme', 'b'), null)).toBeNull()
  expect(await sessions.find(token, who('acme', null), null)).toBeNull()
  expect(await sessions.find(token, who('other', 'a'), null)).toBeNull()
  expect(await sessions.find(token, owner, 'docs')).toBeNull()
  expect(await sessions.find(token, owner, null)).not.toBeNull()
})

test('what it changes at one gateway is known at another that has it already', async () => {
  const [here, there] = [gateway(), gateway()]
  const { token, session } = here.open(claims)
  const other = await there.find(token, owner, null)
  session.logLevel = 'error'
  session.uris.add('test://a')
  here.changed(session)
  await until('the other knows', () => other?.logLevel === 'error' && other.uris.has('test://a'))
})

test('two requests that come at once after a restart are of one session', async () => {
  const { token } = gateway().open(claims)
  const sessions = gateway()
  const [one, two] = await Promise.all([sessions.find(token, owner, null), sessions.find(token, owner, null)])
  expect(one).toBe(two as NonNullable<typeof two>)
})

test('an end is for ever, and cancels what is under way', async () => {
  const sessions = gateway()
  const { token, session } = sessions.open(claims)
  let cancelled = false
  const cancel = () => {
    cancelled = true
  }
  session.calls.set(1, { cancel })
  await sessions.end(session)
  expect(cancelled).toBe(true)
  expect(await gateway().find(token, owner, null)).toBeNull()
})

test('while the database is down a session goes on, with what it was when it began', async () => {
  const { token } = gateway().open(claims)
  const down = openStore('postgres://nobody@127.0.0.1:9/none', { max: 1, name: 'test' })
  const sessions = openSessions({ sql: down.sql, log: quiet, tokens, vault })
  expect(await sessions.find(token, owner, null)).not.toBeNull()
  await sessions.close()
  await down.close()
})
