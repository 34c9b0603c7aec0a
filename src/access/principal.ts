/**
 * Who asks. Made from a credential by `authenticate`, never stored.
 */
export type Principal = {
  tenant: string
  /** Null for the admin key and for clients that bring their own provider credential. */
  keyId: string | null
  scopes: ReadonlySet<Scope>
  /** The capture mode of the key, or the gateway's default. */
  capture: 'full' | 'metadata'
  /** Tags that the key puts on every exchange. */
  tags: readonly string[]
}

/**
 * What a key may do, within its own tenant:
 * - `call`: proxied calls, paid by the gateway's provider keys
 * - `read`: the record: exchanges, conversations, search, export, tail
 * - `replay`: send a recorded exchange again
 * - `label`: be believed in what it says of its calls' content, be it less than what they look like
 * - `operator`: act on queues, on jobs of others, on schedules and alerts
 * - `keys`: create, list and revoke keys that hold no scope which it lacks itself
 * - `admin`: everything, in every tenant
 */
export const scopes = ['call', 'read', 'replay', 'label', 'operator', 'keys', 'admin'] as const
export type Scope = (typeof scopes)[number]

export function may(principal: Pick<Principal, 'scopes'>, scope: Scope): boolean {
  return principal.scopes.has(scope) || principal.scopes.has('admin')
}
