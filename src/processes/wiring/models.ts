import { join } from 'node:path'
import type { AnyElysia } from 'elysia'
import type { Replay } from '#capture'
import {
  type Asking,
  alertSender,
  openAdapters,
  openAsking,
  openCache,
  openLadders,
  openMock,
  openMoney,
  openProviders,
  openProxy,
  openRouting,
  type PriceOf,
} from '#llm'
import { webhooks } from '#queues/webhooks'
import { askingRoutes, llmRoutes, moneyRoutes, routingRoutes } from '#routes/llm'
import { cacheMetrics } from '../cache-metrics.ts'
import { exchangeMetrics } from '../exchange-metrics.ts'
import { canSpeak, replayBy } from '../replay-by.ts'
import type { Base } from './base.ts'

export type Models = {
  asking: Asking
  replay: Replay
  /** Can that provider be asked in that dialect? */
  speaks: (provider: string, dialect: string) => boolean
  routes: AnyElysia[]
}

/** Model traffic: what decides where a call goes, what it may cost, and what it is answered from. */
export async function wireModels(base: Base): Promise<Models> {
  const { env, log, held, url, sql, metrics, reading, access, broker, spool, vault } = base
  const { authorise } = access
  const money = await openMoney({
    ...{ sql, log, snapshotFile: join(env.DATA_DIR, 'money.json') },
    onAlerts: alertSender(broker.producer(webhooks), log),
  })
  held.add('money', money.close)
  const mock = await openMock()
  held.add('mock', mock.close)
  const providers = openProviders({ ...env.providers, mock: { baseUrl: mock.url } })
  const routing = await openRouting({
    ...{ sql, log, providers, vault, metrics },
    snapshotFile: join(env.DATA_DIR, 'routing.json'),
  })
  held.add('routing', routing.close)
  const cache = openCache({
    ...{ kind: env.CACHE_STORE, maxBytes: env.CACHE_MAX_BYTES, queueUrl: env.QUEUE_URL, databaseUrl: url },
    ...{ log, observe: cacheMetrics(metrics) },
  })
  held.add('cache', cache.close)
  const price: PriceOf = (of) => money.book().price(of)
  const adapters = openAdapters({ providers, price })
  const proxy = openProxy({
    ...{ authenticate: access.authenticate, spool, log, observe: exchangeMetrics(metrics), providers },
    ...{ routing, money, cache, price, ladders: openLadders({ sql, adapters, log }) },
    bodyMaxBytes: env.BODY_MAX_BYTES,
    connectTimeoutMs: env.UPSTREAM_CONNECT_TIMEOUT_MS,
    idleTimeoutMs: env.UPSTREAM_IDLE_TIMEOUT_MS,
    clientGone: env.CLIENT_GONE,
  })
  held.add('proxy', proxy.close)
  const asking = openAsking({
    ...{ sql, proxy, routing, vault, adapters },
    folder: join(env.DATA_DIR, 'orchestra'),
  })
  return {
    asking,
    replay: replayBy(proxy, providers),
    speaks: (name, dialect) => canSpeak(providers.find(name), dialect),
    routes: [
      llmRoutes({ proxy }),
      moneyRoutes({
        ...{ sql, vault, reading, authorise, refresh: money.refresh, book: money.book },
        ...{ allowPrivate: env.PRIVATE_ADDRESSES, pricesFolder: join(env.DATA_DIR, 'prices') },
      }),
      routingRoutes({ sql, routing, authorise, vault }),
      askingRoutes({ asking, authorise }),
    ],
  }
}
