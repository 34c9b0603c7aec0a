import type { AnyElysia } from 'elysia'
import type { Access } from '#access'
import {
  type Interpret,
  openReading,
  type Reading,
  type ReadingOptions,
  type RecordedExchange,
  type SpoolLedger,
} from '#capture'
import { captureRoutes } from '#routes/capture'
import type { LoggingHandler } from '../../src/capture/consumers.ts'
import type { Replay } from '../../src/capture/reading/replay.ts'
import { adminKey, plantKey, testAccess } from '../access/support.ts'
import { testApp } from '../processes/support.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { handlerOn, interpretCall, quiet, stored } from './store-support.ts'

/** The routes of the record over a database of their own, with keys of two tenants. */
export type Fixture = {
  database: TestDatabase
  access: Access
  reading: Reading
  app: AnyElysia
  keys: { admin: string; a: string; b: string; caller: string }
  /** Stores exchanges as a worker does, and waits until they can be searched. */
  store(exchanges: readonly RecordedExchange[]): Promise<void>
  ask(path: string, options?: AskOptions): Promise<Answer>
  release(): Promise<void>
}

export type AskOptions = { key?: string; method?: string; body?: unknown; headers?: Record<string, string> }
export type Answer = { status: number; headers: Headers; bytes: Uint8Array; text: string; json: unknown }

export type FixtureOptions = Partial<Omit<ReadingOptions, 'log'>> & {
  ledgers?: () => readonly SpoolLedger[]
  replay?: Replay
  speaks?: (provider: string, dialect: string) => boolean
  heartbeatMs?: number
  interpret?: Interpret
}

export async function openFixture(options: FixtureOptions = {}): Promise<Fixture> {
  const {
    ledgers = () => [],
    replay = unwired,
    speaks,
    heartbeatMs,
    interpret = interpretCall,
    ...reads
  } = options
  const database = await testDatabase()
  const { sql } = database
  await sql`insert into tenants (id, name) values ('a', 'A'), ('b', 'B') on conflict do nothing`
  const a = await plantKey(sql, { tenant: 'a', scopes: ['read', 'replay'] })
  const b = await plantKey(sql, { tenant: 'b', scopes: ['read', 'replay'] })
  const caller = await plantKey(sql, { tenant: 'a', scopes: ['call'] })
  const access = await testAccess(sql)
  const reading = openReading(database.url, { log: quiet, ...reads })
  const handler: LoggingHandler = handlerOn(sql, { interpret })
  const { authorise } = access
  const routes = captureRoutes({
    ...{ reading, authorise, ledgers, replay, log: quiet },
    ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
    ...(speaks === undefined ? {} : { speaks }),
  })
  const app = testApp(access, { routes: [routes] })
  const keys = { admin: adminKey, a: a.key, b: b.key, caller: caller.key }

  return {
    database,
    access,
    reading,
    app,
    keys,
    async store(exchanges) {
      await stored(handler, exchanges)
      await handler.indexed()
    },
    async ask(path, { key = keys.a, method = 'GET', body, headers = {} } = {}) {
      const init: RequestInit = { method, headers: { authorization: `Bearer ${key}`, ...headers } }
      if (body !== undefined) init.body = JSON.stringify(body)
      return await answerOf(await app.handle(new Request(`http://localhost${path}`, init)))
    },
    async release() {
      if (app.server !== null) await app.stop(true)
      await reading.close()
      await handler.close()
      await access.close()
      await database.drop()
    },
  }
}

export async function answerOf(response: Response): Promise<Answer> {
  const bytes = new Uint8Array(await response.arrayBuffer())
  const text = new TextDecoder().decode(bytes)
  const isJson = /^application\/(problem\+)?json/.test(response.headers.get('content-type') ?? '')
  const { status, headers } = response
  return { status, headers, bytes, text, json: isJson ? parsed(text) : null }
}

/** Null where it is the raw bytes of something that only says it is JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** The items of a list's answer. */
export function itemsOf<Item = Record<string, unknown>>(answer: Answer): Item[] {
  if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.text}`)
  return (answer.json as { items: Item[] }).items
}

/** All items of a list, page by page. */
export async function allItems<Item = Record<string, unknown>>(
  fixture: Fixture,
  path: string,
  options: AskOptions = {},
): Promise<Item[]> {
  const items: Item[] = []
  const given = new URLSearchParams(path.slice(path.indexOf('?'))).get('cursor') ?? ''
  for (let cursor: string | null = given; cursor !== null; ) {
    const bare = path.replace(/&cursor=[^&]*/, '')
    const answer: Answer = await fixture.ask(cursor === '' ? bare : `${bare}&cursor=${cursor}`, options)
    items.push(...itemsOf<Item>(answer))
    cursor = (answer.json as { next_cursor: string | null }).next_cursor
  }
  return items
}

function unwired(): Promise<Response> {
  throw new Error('this test replays nothing')
}
