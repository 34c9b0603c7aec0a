import type { Sql } from 'postgres'
import type { Authorise } from '#access'
import type { Vault } from '#lib/vault'
import type { Routing } from './routing.ts'

export type RoutingRoutesOptions = { sql: Sql; routing: Routing; authorise: Authorise; vault: Vault }
