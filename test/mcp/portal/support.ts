import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import type { Principal, Scope } from '#access'
import { newId } from '#lib/ids'
import { openVault } from '#lib/vault'
import { type OpenPortal, openPortal, type PortalOptions } from '../../../src/mcp/portal/open-portal.ts'
import type { Change, Client, ClientCall } from '../../../src/mcp/portal/portal.ts'
import type { Recorder } from '../../../src/mcp/record/recorder.ts'
import { openServers } from '../../../src/mcp/servers/open-servers.ts'
import type { NewServer } from '../../../src/mcp/servers/server-shapes.ts'
import { newServerBody } from '../../../src/mcp/servers/server-shapes.ts'
import { serverStore } from '../../../src/mcp/servers/server-store.ts'
import type { Servers } from '../../../src/mcp/servers/servers.ts'
import { portalSpec, visibilitySpec } from '../../../src/mcp/servers/settings.ts'
import { openUpstreams } from '../../../src/mcp/upstream/open-upstreams.ts'
import type { Upstreams } from '../../../src/mcp/upstream/upstream.ts'
import type { Answer } from '../../../src/mcp/wire/message.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import type { ScriptedSpec } from './scripted-server.ts'

export const log = pino({ level: process.env.TEST_LOG ?? 'silent' })
const vault = openVault('a secret of the tests, long enough for all')

/** The record has tests of its own. */
const unrecorded: Recorder = {
  begin: () => ({ id: newId(), request: () => {}, response: () => {}, end: () => {} }),
}

export type Harness = {
  database: TestDatabase
  folder: string
  servers: Servers
  upstreams: Upstreams
  portal: OpenPortal
  /** Adds a row; in force when it resolves. */
  add(server: Partial<NewServer> & { name: string }): Promise<string>
  change(name: string, patch: Record<string, unknown>): Promise<void>
  remove(name: string): Promise<void>
  setPortal(name: string, spec: object): Promise<void>
  setVisibility(keyId: string | null, spec: object): Promise<void>
  stop(): Promise<void>
}

export type HarnessOptions = Partial<
  Pick<PortalOptions, 'ownTools' | 'storeOverflow' | 'readOverflow' | 'pollMs'>
> & {
  database?: TestDatabase
  folder?: string
}

/** A portal on a real database with real connections: what a gateway has, without the edges. */
export async function openHarness(options: HarnessOptions = {}): Promise<Harness> {
  const { folder = temporaryFolder(), ownTools = [], database: given, ...rest } = options
  const database = given ?? (await testDatabase())
  const { sql } = database
  const servers = await openServers({
    ...{ sql, log, vault, allowStdio: true },
    snapshotFile: join(folder, 'mcp.json'),
  })
  const upstreams = openUpstreams({
    ...{ recorder: unrecorded, log, folder, allowPrivate: true },
    inherited: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' },
    clientInfo: '{"name":"sluice","version":"0"}',
    limits: { waits: { baseMs: 50, mostMs: 200 } },
  })
  const portal = await openPortal({
    ...{ sql, servers, upstreams, ownTools, log, version: '0', ...rest },
    catalogueFile: join(folder, 'catalogue.json'),
  })
  const store = serverStore({ sql, vault, allowStdio: true, allowPrivate: true })
  return {
    ...{ database, folder, servers, upstreams, portal },
    async add(server) {
      const row = await store.add('default', newServerBody.parse({ transport: 'stdio', ...server }))
      await servers.refresh()
      return row.id
    },
    async change(name, patch) {
      await store.change(await store.find('default', name), patch)
      await servers.refresh()
    },
    async remove(name) {
      await store.remove((await store.find('default', name)).id)
      await servers.refresh()
    },
    async setPortal(name, spec) {
      const whole = portalSpec.parse(spec)
      await sql`
        insert into mcp_portals (id, tenant, name, spec) values (${newId()}, 'default', ${name}, ${sql.json(whole)})
        on conflict (tenant, name) do update set spec = excluded.spec`
      await servers.refresh()
    },
    async setVisibility(keyId, spec) {
      const whole = visibilitySpec.parse(spec)
      await sql`
        insert into mcp_visibility (id, tenant, key_id, spec)
        values (${newId()}, 'default', ${keyId}, ${sql.json(whole)})`
      await servers.refresh()
    },
    async stop() {
      await portal.close()
      await upstreams.close()
      await servers.close()
      if (given === undefined) await database.drop()
    },
  }
}

export type Scripted = {
  /** Settings of a row. */
  row: Pick<NewServer, 'command' | 'args' | 'env'>
  set(spec: ScriptedSpec): void
  /** Has it send this notification. */
  tell(method: string, params?: object): void
  /** Changes what it offers, and has it say so. */
  offer(spec: ScriptedSpec): void
  /** Requests that it has seen. */
  seen(): { method: string; params: Record<string, unknown> }[]
}

export function scripted(spec: ScriptedSpec): Scripted {
  const file = join(temporaryFolder(), 'spec.json')
  // By rename: the server may be reading it just now.
  const set = (next: ScriptedSpec) => {
    writeFileSync(`${file}.next`, JSON.stringify(next))
    renameSync(`${file}.next`, file)
  }
  const tell = (method: string, params: object = {}) =>
    appendFileSync(`${file}.tell`, `${JSON.stringify({ jsonrpc: '2.0', method, params })}\n`)
  set(spec)
  return {
    row: {
      command: process.execPath,
      args: [join(import.meta.dir, 'scripted-server.ts')],
      env: { SPEC: file },
    },
    ...{ set, tell },
    offer(next) {
      set(next)
      tell('notifications/tools/list_changed')
    },
    seen() {
      if (!existsSync(`${file}.seen`)) return []
      const lines = readFileSync(`${file}.seen`, 'utf8').trim().split('\n')
      return lines.map((line) => JSON.parse(line))
    },
  }
}

export function tool(name: string, more: object = {}) {
  return { name, description: `Does ${name}`, inputSchema: { type: 'object' }, ...more }
}

export function principal(scopes: Scope[] = ['call'], keyId: string | null = null): Principal {
  return { tenant: 'default', keyId, scopes: new Set(scopes), capture: 'full', tags: [] }
}

export function client(more: Partial<Client> = {}): Client {
  return {
    ...{ principal: principal(), portal: null, era: 'legacy', protocolVersion: '2025-11-25', session: 's' },
    ...{ info: '{}', capabilities: '{}', logLevel: null, ...more },
  }
}

export function callOf(method: string, params: object = {}, more: Partial<ClientCall> = {}): ClientCall {
  return {
    ...{ client: client(), method, params: JSON.stringify(params) },
    ...{ signal: new AbortController().signal, exchange: newId(), notify: () => {} },
    ask: async () => ({ error: { code: -32601, message: 'not asked' } }),
    ...more,
  }
}

/** The result, parsed. @throws Error for an error answer */
export function resultOf(answer: Answer) {
  if ('error' in answer) throw new Error(`${answer.error.code}: ${answer.error.message}`)
  return JSON.parse(answer.result)
}

export function errorOf(answer: Answer): { code: number; message: string; data?: string } {
  if ('error' in answer) return answer.error
  throw new Error(`no error: ${answer.result.slice(0, 200)}`)
}

/** Names of the tools that it is shown, without Sluice's own. */
export async function toolNames(portal: OpenPortal, of: Client = client()): Promise<string[]> {
  const { tools } = resultOf(await portal.request(callOf('tools/list', {}, { client: of })))
  return tools.map(({ name }: { name: string }) => name).filter((name: string) => !isOwn(name))
}

export function isOwn(name: string): boolean {
  return /^portal_|^search_tools$|^call_tool$/.test(name)
}

/** What a listener is told, in order. */
export function listening(portal: OpenPortal, of: Client = client(), resourceUris: string[] = []) {
  const told: Change[] = []
  const interest = { tools: true, prompts: true, resources: true, resourceUris }
  return { told, stop: portal.listen(of, interest, (change) => told.push(change)) }
}
