import { join } from 'node:path'
import { pino } from 'pino'
import { newId } from '#lib/ids'
import { openVault, type Vault } from '#lib/vault'
import { openProviders, openRouting, type Providers, type Routing, type RoutingOptions } from '#llm'
import { putRoute } from '../../../src/llm/routing/queries.ts'
import { type RouteSpec, routeSpec } from '../../../src/llm/routing/route.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { type TestDatabase, testDatabase } from '../../support/postgres.ts'
import { type Script, scriptedUpstream, type Upstream } from '../../support/upstream.ts'
import { type TestGateway, type TestGatewayOptions, testGateway } from '../proxy-support.ts'

export type RoutedGateway = TestGateway & {
  routing: Routing
  providers: Providers
  vault: Vault
  database: TestDatabase
  /** Upstreams of the providers `one`, `two`, … in the order of their scripts. */
  others: Upstream[]
  /** Stores a rule; in force when it resolves. */
  route(name: string, spec: object, position?: number): Promise<void>
}

/** Rules as an operator would write them. */
export function spec(input: object): RouteSpec {
  return routeSpec.parse(input)
}

const names = ['one', 'two', 'three']

/**
 * The proxy with routing on a database of its own. `scripts[0]` is behind the vendors' names, the others are
 * Anthropic-speaking servers `one`, `two`, `three`.
 */
export async function routedGateway(
  scripts: [Script, ...Script[]],
  {
    breaker,
    random,
    settings = {},
    ...options
  }: TestGatewayOptions & Pick<RoutingOptions, 'breaker' | 'random'> = {},
): Promise<RoutedGateway> {
  const database = await testDatabase()
  const [first, ...rest] = scripts
  const others = await Promise.all(rest.map((script) => scriptedUpstream(script)))
  const native = await scriptedUpstream(first)
  const own = { baseUrl: native.url, apiKey: 'sk-server-side-key' }
  const all = Object.fromEntries(
    others.map(({ url }, index) => [names[index] ?? '', { baseUrl: url, apiKey: `sk-${names[index]}` }]),
  )
  const providers = openProviders({ anthropic: own, openai: own, gemini: own, ...all, ...settings })
  await database.sql`insert into providers ${database.sql(
    names.map((name) => ({ name, dialect: 'anthropic', local: false, open: false })),
  )}`
  const vault = openVault('a secret of the tests, long enough for all')
  const log = pino({ level: 'silent' })
  const routing = await openRouting({
    ...{ sql: database.sql, log, providers, vault, snapshotFile: join(temporaryFolder(), 'routing.json') },
    ...(breaker === undefined ? {} : { breaker }),
    ...(random === undefined ? {} : { random }),
  })
  await routing.refresh()
  const gateway = await testGateway(first, { tickMs: 20, ...options, providers, routing })
  return {
    ...gateway,
    upstream: native,
    ...{ routing, providers, vault, database, others },
    async route(name, input, position = 100) {
      await putRoute(database.sql, { id: newId(), name, position, enabled: true, spec: spec(input) })
      await routing.refresh()
    },
    async stop() {
      await gateway.stop()
      await native.close()
      await Promise.all(others.map((one) => one.close()))
      await routing.close()
      await database.drop()
    },
  }
}

export const said = JSON.stringify({
  model: 'claude-sonnet-5',
  max_tokens: 9,
  messages: [{ role: 'user', content: 'hi' }],
})
