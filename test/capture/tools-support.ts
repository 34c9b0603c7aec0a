import type { Principal, Scope, Tool } from '#access'
import { openReading, type Reading, type RecordedExchange } from '#capture'
import { newId } from '#lib/ids'
import { captureTools } from '#tools/capture'
import type { LoggingHandler } from '../../src/capture/consumers.ts'
import type { Replay } from '../../src/capture/reading/replay.ts'
import { openOwn } from '../../src/mcp/own/own.ts'
import { temporaryFolder } from '../support/folder.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { handlerOn, quiet, stored } from './store-support.ts'

/** The tools of the record over a database of their own, called as the portal calls them. */
export type ToolFixture = {
  database: TestDatabase
  reading: Reading
  folder: string
  handler: LoggingHandler
  call(name: string, args?: unknown, principal?: Principal): Promise<Called>
  store(exchanges: readonly RecordedExchange[]): Promise<void>
  release(): Promise<void>
}

export type Called = {
  ok: boolean
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: results of many shapes, looked into by tests
  value: any
}

export async function openToolFixture(replay: Replay = unwired): Promise<ToolFixture> {
  const database = await testDatabase()
  const { sql } = database
  await sql`insert into tenants (id, name) values ('a', 'A'), ('b', 'B') on conflict do nothing`
  const reading = openReading(database.url, { log: quiet })
  const folder = temporaryFolder()
  const handler = handlerOn(sql)
  const call = callerOf(captureTools({ sql, reading, replay, filesFolder: folder }))
  return {
    ...{ database, reading, folder, handler, call },
    async store(exchanges) {
      await stored(handler, exchanges)
      await handler.indexed()
    },
    async release() {
      await reading.close()
      await handler.close()
      await database.drop()
    },
  }
}

export function callerOf(tools: readonly Tool[]) {
  const own = openOwn(tools, (_, error) => {
    throw error
  })
  return async (
    name: string,
    args: unknown = {},
    principal: Principal = principalOf('a'),
  ): Promise<Called> => {
    const context = { principal, signal: new AbortController().signal, exchange: newId(), progress() {} }
    const answer = await own.call(name, JSON.stringify(args), context)
    if ('error' in answer) return { ok: false, text: answer.error.message, value: null }
    const result = JSON.parse(answer.result)
    return { ok: result.isError !== true, text: result.content[0].text, value: result.structuredContent }
  }
}

export function principalOf(
  tenant: string,
  scopes: readonly Scope[] = ['call', 'read', 'replay'],
  capture: Principal['capture'] = 'full',
): Principal {
  return { tenant, keyId: newId(), scopes: new Set(scopes), capture, tags: [] }
}

function unwired(): Promise<Response> {
  throw new Error('this test replays nothing')
}
