import type { Server, ServerWebSocket } from 'bun'
import type { Principal } from '#access'
import { readContent } from '#capture'
import { SluiceError } from '../../../src/lib/errors.ts'
import type { SocketData } from '../../../src/lib/server-socket.ts'
import { openRecorder } from '../../../src/mcp/record/open-recorder.ts'
import type { Recorder } from '../../../src/mcp/record/recorder.ts'
import { openSpy, type Spy, type SpyBackend, type SpyOptions } from '../../../src/mcp/spy/open-spy.ts'
import { openWorld, type World } from '../record/world.ts'

export type Peer = ServerWebSocket<{ headers: Headers }>

export type Backend = {
  url: string
  peers: Peer[]
  got: (string | Buffer)[]
  pings: string[]
  closed: [code: number, reason: string][]
  stop(): Promise<void>
}

type BackendOptions = {
  onMessage?: (peer: Peer, message: string | Buffer) => void
  onOpen?: (peer: Peer) => void
  refuse?: () => Response
}

export function openBackend({
  onMessage = () => {},
  onOpen = () => {},
  refuse,
}: BackendOptions = {}): Backend {
  const peers: Peer[] = []
  const got: Backend['got'] = []
  const pings: string[] = []
  const closed: Backend['closed'] = []
  const server = Bun.serve<{ headers: Headers }>({
    ...{ port: 0, hostname: '127.0.0.1' },
    fetch(request, server) {
      if (refuse !== undefined) return refuse()
      const protocol = request.headers.get('sec-websocket-protocol')?.split(',').at(-1)?.trim()
      const headers: Record<string, string> =
        protocol === undefined ? {} : { 'sec-websocket-protocol': protocol }
      return server.upgrade(request, { headers, data: { headers: request.headers } })
        ? undefined
        : new Response('no', { status: 400 })
    },
    websocket: {
      perMessageDeflate: true,
      sendPings: false,
      open(peer) {
        peers.push(peer)
        onOpen(peer)
      },
      message(peer, message) {
        got.push(message)
        onMessage(peer, message)
      },
      ping: (_, payload) => void pings.push(String(payload)),
      close: (_, code, reason) => void closed.push([code, reason]),
    },
  })
  const url = `ws://127.0.0.1:${server.port}/mcp`
  return { ...{ url, peers, got, pings, closed }, stop: () => server.stop(true) }
}

export type SpyWorld = World & {
  spy: Spy
  /** Of the gateway, for `new WebSocket`. */
  url: string
  /** All frames on record, in the order of their numbers. */
  frames(): Promise<SpiedLine[]>
  stop(): Promise<void>
}

export type SpiedLine = { n: number; at: number; from: string; [what: string]: unknown }

const me: Principal = { tenant: 'default', keyId: null, scopes: new Set(['call']), capture: 'full', tags: [] }

export async function openSpyWorld(
  backend: Partial<SpyBackend> & { url: string },
  options: Partial<SpyOptions> & {
    principal?: Partial<Principal>
    wrap?: (recorder: Recorder) => Recorder
  } = {},
): Promise<SpyWorld> {
  const { principal, wrap = (recorder) => recorder, ...given } = options
  const world = await openWorld()
  const spy = openSpy({ recorder: wrap(openRecorder(world)), allowPrivate: true, pieceMs: 60_000, ...given })
  const server: Server<SocketData> = Bun.serve<SocketData>({
    ...{ port: 0, hostname: '127.0.0.1' },
    async fetch(request, server) {
      try {
        return await spy.handle(request, {
          server,
          principal: { ...me, ...principal },
          backend: { name: 'remote', headers: {}, ...backend },
        })
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error
        return new Response(error.message, { status: error.status })
      }
    },
    websocket: {
      ...{ perMessageDeflate: true, idleTimeout: 8 },
      open: (socket) => socket.data.open(socket),
      message: (socket, message) => socket.data.message(socket, message),
      drain: (socket) => socket.data.drain(socket),
      close: (socket, code, reason) => socket.data.close(socket, code, reason),
      ping: (socket, payload) => socket.data.ping?.(socket, payload),
    },
  })
  return {
    ...world,
    spy,
    url: `ws://127.0.0.1:${server.port}/mcp/ws?spy=remote`,
    async frames() {
      const ids = await world.database.sql<{ id: string }[]>`select id from exchanges order by id`
      const lines: SpiedLine[] = []
      for (const { id } of ids) {
        const content = await readContent(world.database.sql, id)
        for (const side of [content?.request, content?.response]) {
          const text = Buffer.from(side ?? []).toString()
          lines.push(
            ...text
              .split('\n')
              .filter(Boolean)
              .map((line) => JSON.parse(line) as SpiedLine),
          )
        }
      }
      return lines.sort((one, other) => one.n - other.n)
    },
    async stop() {
      spy.close()
      await server.stop(true)
      await world.release()
    },
  }
}

export type SpyClient = {
  socket: WebSocket
  got: (string | Buffer)[]
  opened: Promise<void>
  closed: Promise<[code: number, reason: string]>
}

export function spyClient(url: string, options: Record<string, unknown> = {}): SpyClient {
  const socket = new WebSocket(url, options as never)
  const got: SpyClient['got'] = []
  socket.onmessage = ({ data }) => void got.push(data)
  const opened = new Promise<void>((resolve) => {
    socket.onopen = () => resolve()
  })
  const closed = new Promise<[number, string]>((resolve) => {
    socket.onclose = ({ code, reason }) => resolve([code, reason])
  })
  return { socket, got, opened, closed }
}
