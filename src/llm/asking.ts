import type { Sql } from 'postgres'
import type { Vault } from '#lib/vault'
import type { AdapterFactory } from './adapters/factory.ts'
import { ownCalls } from './adapters/own-calls.ts'
import { type Orchestra, openOrchestra } from './orchestra/orchestra.ts'
import type { LlmProxy } from './proxy-options.ts'
import type { Routing } from './routing/routing.ts'

/** What the gateway itself asks models for. */
export type Asking = { orchestra: Orchestra; sql: Sql }

export type AskingOptions = {
  sql: Sql
  proxy: Pick<LlmProxy, 'handle'>
  routing: Routing
  vault: Vault
  adapters: AdapterFactory
  /** `DATA_DIR/orchestra`, where answers may be written to. */
  folder: string
}

export function openAsking({ sql, proxy, routing, vault, adapters, folder }: AskingOptions): Asking {
  const { providers, refresh } = routing
  const calls = ownCalls(proxy)
  return { sql, orchestra: openOrchestra({ sql, adapters, calls, providers, vault, refresh, folder }) }
}
