import net from 'node:net'
import { zstdDecompressSync } from 'node:zlib'
import { Elysia } from 'elysia'
import { pino } from 'pino'
import type { Authenticate, Caller, Scope } from '#access'
import { openSpool, type RecordedExchange, type SpoolLedger } from '#capture'
import { type LlmProxy, openProviders, openProxy } from '#llm'
import { llmRoutes } from '#routes/llm'
import { decodeExchanges } from '../../src/capture/frame.ts'
import type { ProxyOptions } from '../../src/llm/proxy.ts'
import { temporaryFolder } from '../support/folder.ts'
import { until } from '../support/until.ts'
import { type Script, scriptedUpstream, type Upstream } from '../support/upstream.ts'

export type TestGateway = {
  url: string
  port: number
  upstream: Upstream
  /** The record of the exchange that this answer, or id, names; awaited. */
  record(of: Response | string): Promise<RecordedExchange>
  /** All records so far. */
  records(): RecordedExchange[]
  ledger(): SpoolLedger
  underWay(): number
  /** For calls of the gateway's own. */
  proxy: LlmProxy
  stop(): Promise<void>
}

export type TestGatewayOptions = Partial<ProxyOptions> & {
  secure?: boolean
  caller?: Partial<Caller['principal']>
  passThrough?: boolean
  /** Provider settings beside those of the scripted upstream. */
  settings?: Parameters<typeof openProviders>[0]
  serve?: { idleTimeout?: number }
  whenFull?: 'block' | 'drop'
  maxBytes?: number
}

export const serverKey = 'sk-server-side-key'

/** The proxy behind its routes, on a real spool in a folder of its own, in front of a scripted upstream. */
export async function testGateway(script: Script, options: TestGatewayOptions = {}): Promise<TestGateway> {
  const dir = temporaryFolder()
  const upstream = await scriptedUpstream(script, { secure: options.secure ?? false })
  const batches: RecordedExchange[] = []
  const parts = new Map<string, Uint8Array[]>()
  const log = pino({ level: 'silent' })
  const spool = await openSpool({
    ...{ dir, log, maxBytes: options.maxBytes ?? 64 * 1024 * 1024, whenFull: options.whenFull ?? 'block' },
    producer: {
      async enqueue(payload) {
        const frames = zstdDecompressSync(Buffer.from(payload.frames, 'base64'))
        const whole = [...(parts.get(payload.batch) ?? []), frames]
        parts.set(payload.batch, whole)
        if (payload.part + 1 === payload.parts)
          batches.push(...decodeExchanges(Buffer.concat(whole)).exchanges)
      },
    },
    commits: {
      committed: async (_, names) => new Map(names.map((name) => [name, { stored: 1, quarantined: 0 }])),
      report: async () => {},
    },
  })
  const own = { baseUrl: upstream.url, apiKey: serverKey }
  const proxy = openProxy({
    ...{ authenticate: admit(options), spool, log, bodyMaxBytes: 8 * 1024 * 1024 },
    ...{ connectTimeoutMs: 5_000, idleTimeoutMs: 30_000, clientGone: 'cancel' },
    providers: openProviders({ anthropic: own, openai: own, gemini: own, ...options.settings }),
    ...options,
    ...{ spool },
  })
  const app = new Elysia({ handler: { standardHostname: false } }).use(llmRoutes({ proxy }))
  app.listen({
    port: 0,
    hostname: '127.0.0.1',
    development: false,
    idleTimeout: 30,
    maxRequestBodySize: 1e12,
    ...options.serve,
  })
  const port = app.server?.port ?? 0

  return {
    url: `http://127.0.0.1:${port}`,
    ...{ port, proxy, upstream, underWay: proxy.underWay, ledger: spool.ledger, records: () => [...batches] },
    async record(of) {
      const id = typeof of === 'string' ? of : of.headers.get('sluice-exchange')
      const find = () => batches.find(({ open }) => open.id === id)
      await until(`the record of ${id}`, () => find() !== undefined)
      return find() as RecordedExchange
    },
    async stop() {
      await proxy.close()
      await app.server?.stop(true)
      await upstream.close()
      await spool.close()
    },
  }
}

function admit({ caller, passThrough = false }: TestGatewayOptions): Authenticate {
  const principal = {
    ...{ tenant: 'acme', keyId: null, scopes: new Set<Scope>(['call']), capture: 'full' as const, tags: [] },
    ...caller,
  }
  return () => ({ principal, passThrough })
}

export type RawAnswer = {
  /** All that came until now, as Latin-1. */
  text(): string
  /** Resolves when the other side closed, with how. */
  closed: Promise<'ended' | 'reset'>
  write(bytes: string | Uint8Array): void
  pause(): void
  resume(): void
  hangUp(): void
}

/** A client that sends exactly these bytes. */
export function rawClient(port: number, bytes: string | Uint8Array): RawAnswer {
  let text = ''
  const socket = net.connect(port, '127.0.0.1')
  const latin1 = (data: string | Uint8Array) =>
    typeof data === 'string' ? Buffer.from(data, 'latin1') : data
  let reset = false
  socket.on('data', (data) => {
    text += data.toString('latin1')
  })
  socket.on('error', () => {
    reset = true
  })
  const closed = new Promise<'ended' | 'reset'>((resolve) => {
    socket.once('close', () => resolve(reset ? 'reset' : 'ended'))
  })
  socket.write(latin1(bytes))
  return {
    ...{ text: () => text, closed },
    write: (data) => void socket.write(latin1(data)),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    hangUp: () => void socket.destroy(),
  }
}

export function post(path: string, body: string, headers = ''): string {
  return `POST ${path} HTTP/1.1\r\nHost: gateway\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`
}
