/** An edge on a real socket, before a portal that does what its tests tell it. */
import type { Principal, Scope } from '#access'
import { SluiceError } from '#lib/errors'
import { releaser } from '#lib/release'
import { openVault } from '#lib/vault'
import type { EventsAfter } from '../../../src/mcp/edge/edge.ts'
import type { Target } from '../../../src/mcp/edge/identify.ts'
import { type EdgeOptions, openEdge } from '../../../src/mcp/edge/open-edge.ts'
import type { Change, Client, ClientCall, Interest, Portal } from '../../../src/mcp/portal/portal.ts'
import type { HopEnd, HopOpen, Recorder } from '../../../src/mcp/record/recorder.ts'
import { openSessions } from '../../../src/mcp/session/sessions.ts'
import { sessionTokens } from '../../../src/mcp/session/token.ts'
import type { Answer } from '../../../src/mcp/wire/message.ts'
import { quiet } from '../../capture/store-support.ts'
import type { TestDatabase } from '../../support/postgres.ts'

export const sessionSecret = 'a secret of the tests, long enough for all'

export type Recorded = { open: HopOpen; id: string; request: string; response: string; end: HopEnd | null }

export type TestEdge = {
  url: string
  hops: Recorded[]
  notified: string[]
  clients: Client[]
  listeners: Set<{ interest: Interest; tell: (change: Change) => void }>
  post(body: unknown, headers?: Record<string, string>): Promise<Response>
  /** A legacy session: `post` and `get` with its header. */
  session(version?: string, capabilities?: object): Promise<TestSession>
  stop(): Promise<void>
}

export type TestSession = {
  id: string
  headers: Record<string, string>
  post(body: unknown, more?: Record<string, string>): Promise<Response>
  get(more?: Record<string, string>): Promise<Response>
}

export type TestEdgeOptions = {
  database: TestDatabase
  /** What `tools/call` does; by the name of the tool. */
  tools?: Record<string, (call: ClientCall) => Promise<Answer>>
  edge?: Partial<EdgeOptions>
  anonymous?: boolean
  eventsAfter?: EventsAfter
  port?: number
  /** @default `sessionSecret` */
  secret?: string
}

export const keys: Record<string, Principal> = {
  'sk-sluice-a': principal('acme', 'a'),
  'sk-sluice-b': principal('acme', 'b'),
  'sk-sluice-c': principal('other', 'c'),
}

function principal(tenant: string, keyId: string, scopes: Scope[] = ['call']): Principal {
  return { tenant, keyId, scopes: new Set(scopes), capture: 'full', tags: [] }
}

export async function startEdge(options: TestEdgeOptions): Promise<TestEdge> {
  const held = releaser()
  const { hops, recorder } = memoryRecorder()
  const notified: string[] = []
  const clients: Client[] = []
  const listeners: TestEdge['listeners'] = new Set()
  const portal: Portal = {
    async request(call) {
      clients.push(call.client)
      if (call.method === 'tools/list') return { result: '{"tools":[],"resultType":"complete"}' }
      if (call.method !== 'tools/call') return emptyFor(call.method)
      const { name } = JSON.parse(call.params)
      const tool = options.tools?.[name]
      return tool === undefined
        ? { error: { code: -32602, message: `Unknown tool: ${name}` } }
        : await tool(call)
    },
    notify: (_, method) => void notified.push(method),
    listen(_, interest, tell) {
      const listener = { interest, tell }
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    offer: () => ({
      capabilities: '{"tools":{"listChanged":true}}',
      serverInfo: '{"name":"sluice","version":"0"}',
      instructions: null,
    }),
    headerParams: () => [{ path: ['region'], header: 'Region' }],
    close: async () => {},
  }
  const tokens = sessionTokens(options.secret ?? sessionSecret)
  const vault = openVault(sessionSecret)
  const sessions = openSessions({ sql: options.database.sql, log: quiet, tokens, vault })
  const edge = openEdge({
    ...{
      portal,
      recorder,
      sessions,
      log: quiet,
      isSecret: () => false,
      mayBeSecret: () => false,
      bodyMaxBytes: 100_000,
    },
    eventsAfter: options.eventsAfter ?? (async () => null),
    guard: { host: '127.0.0.1', hosts: [], origins: [] },
    ways: {
      authorise: authorised,
      resolveSecret: (secret) =>
        secret === 'right' ? { principal: principal('acme', 'url'), portal: null } : null,
      hasPortal: (tenant, name) => tenant === 'acme' && name === 'docs',
      anonymous: () => (options.anonymous === true ? principal('acme', 'nobody', []) : null),
    },
    ...options.edge,
  })
  const server = Bun.serve({
    ...{ hostname: '127.0.0.1', port: options.port ?? 0, idleTimeout: 0 },
    fetch: (request, server) => edge.handle(request, { target: targetOf(request), server }),
  })
  held.add('connections', () => server.stop(true))
  // Streams that a test left open do not hold up its end.
  held.add('server', () => Promise.race([server.stop(), Bun.sleep(500)]))
  held.add('edge', edge.close)
  const url = `http://127.0.0.1:${server.port}/mcp`

  const post: TestEdge['post'] = (body, headers = {}) =>
    fetch(url, {
      method: 'POST',
      headers: {
        authorization: 'Bearer sk-sluice-a',
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })

  return {
    ...{ url, hops, notified, clients, listeners, post },
    async session(version = '2025-11-25', capabilities = {}) {
      const clientInfo = { name: 'test', version: '1' }
      const params = { protocolVersion: version, capabilities, clientInfo }
      const answer = await post({ jsonrpc: '2.0', id: 'init', method: 'initialize', params })
      const id = answer.headers.get('mcp-session-id') ?? ''
      await answer.text()
      return sessionOn({ url, post }, id, version)
    },
    stop: held.releaseAll,
  }
}

export function sessionOn(
  { url, post }: Pick<TestEdge, 'url' | 'post'>,
  id: string,
  version = '2025-11-25',
): TestSession {
  const headers = { 'mcp-session-id': id, 'mcp-protocol-version': version }
  return {
    id,
    headers,
    post: (body, more = {}) => post(body, { ...headers, ...more }),
    get: (more = {}) =>
      fetch(url, {
        headers: { ...headers, authorization: 'Bearer sk-sluice-a', accept: 'text/event-stream', ...more },
      }),
  }
}

/** A request of 2026-07-28, with the headers that go with it. */
export function modern(method: string, params: object = {}, { id = 1, meta = {} } = {}) {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
    ...meta,
  }
  const named = { name: '', ...params }.name
  const headers: Record<string, string> = {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(named === '' ? {} : { 'mcp-name': named }),
  }
  return { body: { jsonrpc: '2.0', id, method, params: { ...params, _meta } }, headers }
}

function memoryRecorder(): { hops: Recorded[]; recorder: Recorder } {
  const hops: Recorded[] = []
  const text = (bytes: Uint8Array | string) =>
    typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes)
  const begin: Recorder['begin'] = (open) => {
    const hop: Recorded = { open, id: open.id ?? Bun.randomUUIDv7(), request: '', response: '', end: null }
    hops.push(hop)
    return {
      id: hop.id,
      request(bytes) {
        hop.request += text(bytes)
      },
      response(bytes) {
        hop.response += text(bytes)
      },
      end(end) {
        hop.end ??= end
      },
    }
  }
  return { hops, recorder: { begin } }
}

function authorised({ headers }: Request): Principal {
  const token = headers.get('authorization')?.replace('Bearer ', '') ?? headers.get('x-api-key')
  const found = token ? keys[token] : undefined
  if (found !== undefined) return found
  const code = token ? 'key-unknown' : 'unauthenticated'
  throw new SluiceError(401, code, 'No', { headers: { 'www-authenticate': 'Bearer realm="sluice"' } })
}

function targetOf(request: Request): Target {
  const [, , name, secret] = new URL(request.url).pathname.split('/')
  if (name === 's') return { kind: 'secret', secret: secret ?? '' }
  return name === undefined ? { kind: 'all' } : { kind: 'portal', name }
}

function emptyFor(method: string): Answer {
  const known = ['logging/setLevel', 'resources/subscribe', 'resources/unsubscribe', 'completion/complete']
  return known.includes(method) ? { result: '{}' } : { error: { code: -32601, message: 'Method not found' } }
}
