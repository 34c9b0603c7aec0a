import type { Sql } from 'postgres'
import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { Metrics } from '#lib/metrics'
import { snapshotFile } from '#lib/snapshot'
import type { Vault } from '#lib/vault'
import { follow, patiently } from '#store'
import type { ProviderKey } from '../providers/keys.ts'
import type { Providers } from '../providers/provider.ts'
import type { BreakerLimits } from './breaker.ts'
import { type Catalogue, type Listed, openCatalogue } from './catalogue.ts'
import { type Health, openHealth } from './health.ts'
import { openListings } from './listings.ts'
import { openPlanner, type Planner } from './plan.ts'
import { readStored, routingRevision, type Stored, stored } from './queries.ts'
import { type Route, routeSpec } from './route.ts'

/** Where calls go: rules, providers and their health, in memory and in step with the database. */
export type Routing = {
  planner: Planner
  health: Health
  catalogue: Catalogue
  providers: Providers
  /** Models of all providers, by their own lists of the last minutes. */
  models(): Promise<readonly Listed[]>
  random: () => number
  /** Resolves when what was committed before is in force here. Rejects while the database is down. */
  refresh(): Promise<void>
  /** Stored keys that this gateway cannot open, as it has another secret. */
  unreadableKeys(): { provider: string; id: string }[]
  close(): Promise<void>
}

export type RoutingOptions = {
  sql: Sql
  log: Logger
  providers: Providers
  vault: Vault
  /** Where rules are kept for a start without the database. */
  snapshotFile: string
  metrics?: Metrics
  breaker?: BreakerLimits
  /** As `Math.random`. */
  random?: () => number
  /** How long a start waits for the database. @default 3000 */
  patienceMs?: number
}

export async function openRouting(options: RoutingOptions): Promise<Routing> {
  const { sql, log, providers, vault, random = Math.random, patienceMs = 3_000 } = options
  const health = openHealth(options.breaker)
  const catalogue = openCatalogue(providers)
  const listings = openListings(providers)
  const isLocal = (name: string) => providers.find(name)?.local ?? false
  const planner = openPlanner({ health, catalogue, isLocal, random })
  const snapshot = snapshotFile(options.snapshotFile, stored, { what: 'routes', log })
  let resets: Map<string, number> | null = null
  let unreadable: { provider: string; id: string }[] = []
  let revision = -1
  const saved = await snapshot.read()
  if (saved !== null) take(saved)
  const follower = follow({ sql, log, channel: 'sluice_routing', what: 'routes', update })
  await Promise.race([follower.refresh().catch(() => {}), Bun.sleep(patienceMs)])
  if (options.metrics !== undefined) healthMetrics(options.metrics, health)

  return {
    ...{ planner, health, catalogue, providers, random, refresh: follower.refresh, close: follower.stop },
    async models() {
      catalogue.learn(await listings.read())
      return catalogue.listed()
    },
    unreadableKeys: () => unreadable,
  }

  async function update(fresh: boolean): Promise<void> {
    const doing = 'load routes'
    const found = await patiently(routingRevision(sql), { doing })
    if (found === revision && !fresh) return
    const all = await patiently(readStored(sql), { doing })
    take(all)
    revision = found
    await snapshot.write(all)
  }

  function take(all: Stored): void {
    providers.replace(all.providers, opened(all.keys))
    const routes = all.routes.flatMap((row) => readRoute(row, log) ?? [])
    catalogue.replace(routes.flatMap(namedModels))
    planner.replace(routes)
    const now = new Map(all.resets.map((one) => [one.provider, one.resets]))
    for (const [provider, count] of now) {
      if (resets === null || resets.get(provider) === count) continue
      health.reset(provider)
      providers.find(provider)?.keys.wake()
    }
    resets = now
  }

  function opened(keys: Stored['keys']): Map<string, ProviderKey[]> {
    const found = new Map<string, ProviderKey[]>()
    unreadable = []
    for (const { id, provider, name, sealed } of keys) {
      try {
        const secret = vault.open(sealed, keyContext(provider, id))
        found.set(provider, [...(found.get(provider) ?? []), { id, secret, name, source: 'database' }])
      } catch {
        unreadable.push({ provider, id })
      }
    }
    if (unreadable.length > 0)
      log.error({ keys: unreadable }, 'stored provider keys do not open: this gateway has another SECRET_KEY')
    return found
  }
}

/** What a sealed key is bound to. */
export function keyContext(provider: string, id: string): string {
  return `${provider}/${id}`
}

/** Null where it cannot be understood: a rule that a newer version wrote must not take the others with it. */
function readRoute(row: Stored['routes'][number], log: Logger): Route | null {
  const spec = routeSpec.safeParse(row.spec)
  if (spec.success) return { ...row, spec: spec.data }
  log.error({ route: row.name, reason: errorText(spec.error, 300) }, 'a route cannot be read and is left out')
  return null
}

/** Models that rules name whole; whose, where a candidate says so. */
function namedModels({ spec, enabled }: Route) {
  if (!enabled) return []
  return spec.candidates.flatMap(({ provider, model }) =>
    provider === 'auto' || model === undefined ? [] : [{ provider, model }],
  )
}

const states = { closed: 0, 'half-open': 1, open: 2 } as const

function healthMetrics(metrics: Metrics, health: Health): void {
  metrics.gauge(
    'sluice_provider_breaker',
    'Breakers of providers and models: 0 closed, 1 half-open, 2 open.',
    ['provider', 'model'],
    () =>
      health
        .all()
        .map(({ provider, model, state }) => ({ labels: [provider, model ?? ''], value: states[state] })),
  )
}
