import { builtInKinds, openRegistry, type Registry } from '#jobs'
import type { Env } from '#lib/env'
import type { Logger } from '#lib/log'
import type { Releaser } from '#lib/release'
import { type ClassifyExchanges, openClassification, interpret as readMeaning } from '#llm'
import type { Store } from '#store'

type Context = { store: Store; log: Logger; env: Env; held: Releaser }

/** By rules, or a model asked through the gateway. */
export function classifier({ store, log, env, held }: Context): ClassifyExchanges {
  const { classify, close } = openClassification({
    ...{ sql: store.sql, interpret: readMeaning, log, providers: env.providers, gatewayUrl: env.GATEWAY_URL },
    ...{ model: env.CLASSIFY_MODEL, perMinute: env.CLASSIFY_PER_MINUTE },
  })
  held.add('classification', close)
  return classify
}

/** The kinds of jobs as workers run them. */
export function jobKinds(context: Context): Registry {
  return openRegistry(builtInKinds({ sql: context.store.sql, classify: classifier(context) }))
}
