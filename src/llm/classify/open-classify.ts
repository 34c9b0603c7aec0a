import type { Sql } from 'postgres'
import { openInternalKeys } from '#access'
import type { Interpret } from '#capture'
import type { ProviderEnv } from '#lib/env'
import { SetupError } from '#lib/errors'
import type { Logger } from '#lib/log'
import { openAdapters } from '../adapters/factory.ts'
import { type OwnCalls, ownCallsOver } from '../adapters/own-calls.ts'
import { memoryStore } from '../cache/memory-store.ts'
import type { StoredProvider } from '../providers/provider.ts'
import { openProviders } from '../providers/registry.ts'
import { askTool } from './ask-tool.ts'
import { type ModelAccess, openClassifier } from './classifier.ts'
import { type ClassifyExchanges, openClassify } from './classify.ts'
import { askModel } from './model.ts'
import { openTurns } from './turns.ts'

export type OpenClassifyOptions = {
  sql: Sql
  interpret: Interpret
  log: Logger
  /** `provider/model`; undefined: by rules alone. */
  model?: string | undefined
  /** Questions to the model a minute, of this process. */
  perMinute: number
  providers: Record<string, ProviderEnv>
  /** Where the model is asked: there the question is routed, counted and recorded as everybody's. */
  gatewayUrl: string
}

export type Classification = {
  classify: ClassifyExchanges
  /** Revokes the keys of its own calls. */
  close(): Promise<void>
}

const cacheBytes = 16 * 1024 * 1024

/**
 * What classifies exchanges in this process: rules, or a model asked through the gateway.
 * @throws SetupError where the model is not `provider/model`
 */
export function openClassification(options: OpenClassifyOptions): Classification {
  const { sql, interpret, log, gatewayUrl } = options
  const keys = openInternalKeys(sql, 'classification')
  const calls = ownCallsOver({ gatewayUrl, keys })
  const model = options.model === undefined ? null : accessTo(options.model, { ...options, calls })
  const cache = memoryStore({ maxBytes: cacheBytes })
  const classifier = openClassifier({ log, cache, model })
  return { classify: openClassify({ sql, interpret, log, classifier }), close: keys.close }
}

function accessTo(
  name: string,
  { perMinute, providers, calls }: OpenClassifyOptions & { calls: OwnCalls<string> },
): ModelAccess {
  const [, provider, model] = /^([a-z0-9-]+)\/(.+)$/.exec(name) ?? []
  if (provider === undefined || model === undefined) {
    throw new SetupError(`CLASSIFY_MODEL=${JSON.stringify(name)}: must be provider/model, as in mock/mock`)
  }
  const known = openProviders(providers)
  // Who is not known here is a server that an operator added: its own, unless proven otherwise.
  const isLocal = (asked: string) => asked !== 'mock' && (known.find(asked)?.local ?? true)
  // The mock never leaves this machine.
  const own = provider === 'mock' || (known.find(provider)?.local ?? false)
  if (known.find(provider) === null) known.replace([ownServerNamed(provider)], new Map())
  const adapters = openAdapters({ providers: known })
  const ask = askTool((tenant) => adapters.create({ provider, model }, calls(tenant)))
  return {
    ...{ name, own },
    isOwn: (asked) => asked !== null && isLocal(asked),
    turn: openTurns(perMinute),
    ask: (question) => askModel(ask, question),
  }
}

/** One that only the gateway knows, which an operator stored: most servers speak OpenAI's dialect. */
function ownServerNamed(name: string): StoredProvider {
  return {
    name,
    base_url: null,
    dialect: 'openai-chat',
    speaks: null,
    open: null,
    local: null,
    enabled: true,
  }
}
