import { Cluster, Redis } from 'ioredis'
import type { Outage } from './outage.ts'
import type { RedisAddress } from './redis-address.ts'

export type RedisClient = Redis | Cluster

/** A producer's calls must fail while Redis is away; a worker's must wait until it is back. */
export type RedisRole = 'producer' | 'worker'

export type RedisConnections = {
  client: RedisClient
  /** Resolves once connected. Rejects after that time with the reason, and goes on connecting. */
  ready(ms: number): Promise<void>
  /** Cuts this connection and the copies that BullMQ made of it to block on. */
  disconnect(): void
}

/** A connection on which an answer is this late is dead: longer than the 10 s that BullMQ blocks for. */
const silenceMs = 15_000

/** A connection that is opened by its first use and comes back by itself for ever. */
export function connectRedis(
  address: RedisAddress,
  role: RedisRole,
  { name, outage, commandMs }: { name: string; outage: Outage; commandMs: number },
): RedisConnections {
  const client = create(address, role, { name, commandMs })
  const copies = new Set<RedisClient>()
  const duplicate = client.duplicate.bind(client) as (...args: unknown[]) => RedisClient
  // BullMQ duplicates the client for each worker's blocking call, and cannot close the copy while Redis is away.
  client.duplicate = ((...args: unknown[]) => {
    const copy = duplicate(...args)
    copy.on('error', () => {})
    copy.on('end', () => copies.delete(copy))
    copies.add(copy)
    return copy
  }) as never
  // BullMQ adds to this number, so that 0, "any", would become 3.
  client.setMaxListeners(1_000)
  client.on('error', outage.down)
  client.on('close', outage.closed)
  client.on('ready', outage.up)
  return {
    client,
    ready: (ms) => ready(client, ms, outage),
    disconnect() {
      client.removeAllListeners('close')
      for (const copy of copies) copy.disconnect()
      client.disconnect()
    },
  }
}

function create(
  address: RedisAddress,
  role: RedisRole,
  { name, commandMs }: { name: string; commandMs: number },
): RedisClient {
  const { form, nodes, username, password, db, tls } = address
  const common = {
    connectionName: name,
    connectTimeout: 5_000,
    keepAlive: 10_000,
    ...(username && { username }),
    ...(password && { password }),
    ...(tls && { tls: {} }),
    ...(role === 'producer'
      ? { commandTimeout: commandMs, socketTimeout: 2 * commandMs, maxRetriesPerRequest: 1 }
      : { socketTimeout: silenceMs, maxRetriesPerRequest: null }),
  }
  const lifecycle = { lazyConnect: true, enableOfflineQueue: role === 'worker' }
  if (form === 'cluster') {
    return new Cluster(nodes, {
      ...lifecycle,
      redisOptions: common,
      clusterRetryStrategy: retryMs,
      // Certificates name hosts, not addresses.
      ...(tls && { dnsLookup: (host: string, done: DnsDone) => done(null, host) }),
    })
  }
  // A demoted master answers READONLY until its connections are dropped: reconnect, and send again.
  const single = {
    ...common,
    ...lifecycle,
    db,
    retryStrategy: retryMs,
    reconnectOnError: (error: Error) => (error.message.startsWith('READONLY') ? (2 as const) : false),
  }
  const [first] = nodes
  if (form === 'single') return new Redis({ ...single, ...first })
  return new Redis({
    ...single,
    sentinels: nodes,
    name: address.master,
    sentinelRetryStrategy: retryMs,
    enableTLSForSentinelMode: tls,
    ...(tls && { sentinelTLS: {} }),
    ...(address.sentinelPassword && { sentinelPassword: address.sentinelPassword }),
  })
}

type DnsDone = (error: null, address: string) => void

function retryMs(times: number): number {
  return Math.min(50 * 2 ** Math.min(times, 5), 1_000)
}

async function ready(client: RedisClient, ms: number, outage: Outage): Promise<void> {
  if (client.status === 'ready') return
  if (client.status === 'wait') client.connect().catch(() => {})
  const connected = Promise.withResolvers<boolean>()
  const onReady = () => connected.resolve(true)
  const timer = setTimeout(() => connected.resolve(false), ms)
  client.once('ready', onReady)
  const inTime = await connected.promise
  clearTimeout(timer)
  client.off('ready', onReady)
  if (!inTime) throw outage.reason()
}
