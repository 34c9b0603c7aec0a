import { Elysia } from 'elysia'
import type { Sql } from 'postgres'
import { InputError, SluiceError } from '#lib/errors'
import { isId, newId } from '#lib/ids'
import { readJson, readQuery } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import type { Access } from './access.ts'
import type { Audit } from './audit.ts'
import { makeKey } from './key.ts'
import { may, type Principal, scopes } from './principal.ts'
import { getKey, insertKey, listKeys, type Reach, revokeKey } from './queries.ts'
import { type KeyView, keyInput, keyQuery, keyView, listOf, newKeyView, pageOf } from './shapes.ts'

const tag = 'access'

export function keyRoutes({ reads, access, audit }: { reads: Sql; access: Access; audit: Audit }) {
  const { authorise } = access
  return new Elysia()
    .post(
      '/api/keys',
      async ({ request }) => Response.json(await createKey(request), { status: 201, headers: noStore }),
      routeDoc({
        summary: 'Create a key; the answer is the only place that shows it',
        scope: 'keys',
        tag,
        body: keyInput,
        answer: newKeyView,
        status: 201,
      }),
    )
    .get(
      '/api/keys',
      async ({ request }) => Response.json(await list(request)),
      routeDoc({
        summary: 'List keys, newest first',
        scope: 'keys',
        tag,
        query: keyQuery,
        answer: listOf(keyView),
      }),
    )
    .get(
      '/api/keys/:id',
      async ({ request, params: { id } }) => {
        const reach = reachOf(authorise(request, 'keys'))
        return Response.json(found(isId(id) ? await getKey(reads, reach, id) : null))
      },
      routeDoc({ summary: 'Show a key', scope: 'keys', tag, answer: keyView }),
    )
    .delete(
      '/api/keys/:id',
      async ({ request, params: { id } }) => Response.json(await revoke(request, id)),
      routeDoc({ summary: 'Revoke a key', scope: 'keys', tag, answer: keyView }),
    )
    .post(
      '/api/keys/:id/revoke',
      async ({ request, params: { id } }) => Response.json(await revoke(request, id)),
      routeDoc({ summary: 'Revoke a key', scope: 'keys', tag, answer: keyView }),
    )

  async function createKey(request: Request): Promise<KeyView & { key: string }> {
    const principal = authorise(request, 'keys')
    const input = await readJson(request, keyInput)
    mayGrant(principal, input)
    const { key, hash, prefix, last4 } = makeKey()
    const tenant = input.tenant ?? principal.tenant
    const id = newId()
    const granted = [...new Set(input.scopes)]
    const detail = { name: input.name, tenant, scopes: granted }
    const asked = { request, principal, action: 'key.create', subject: `key:${id}`, detail }
    const row = await audit.change(asked, async (tx) => {
      const made = await insertKey(tx, {
        ...{ id, tenant, hash, prefix, last4, name: input.name, tags: input.tags, scopes: granted },
        capture: input.capture ?? null,
        created_by: principal.keyId,
        expires_at: input.expires_at ?? null,
      })
      if (made !== null) return made
      throw new InputError(422, 'bad-body', [{ pointer: '/tenant', detail: 'does not exist' }])
    })
    await inForce()
    return { key, ...row }
  }

  async function list(request: Request) {
    const principal = authorise(request, 'keys')
    const { limit, cursor, tenant } = readQuery(request, keyQuery)
    const reach = reachOf(principal)
    if (tenant !== undefined) {
      if (reach.tenant !== null && reach.tenant !== tenant) throw otherTenant()
      reach.tenant = tenant
    }
    return pageOf(await listKeys(reads, reach, { limit, before: cursor ?? null }), limit)
  }

  /** It is committed: should the database go down just now, the next check brings it. */
  async function inForce(): Promise<void> {
    await access.refresh().catch(() => {})
  }

  async function revoke(request: Request, id: string): Promise<KeyView> {
    const principal = authorise(request, 'keys')
    if (!isId(id)) return found(null)
    const asked = { request, principal, action: 'key.revoke', subject: `key:${id}` }
    const row = await audit.change(asked, async (tx) => found(await revokeKey(tx, reachOf(principal), id)))
    await inForce()
    return row
  }
}

const noStore = { 'cache-control': 'no-store' }

/** A key out of reach answers as one that does not exist: nobody learns of another tenant's ids. */
function found(row: KeyView | null): KeyView {
  if (row === null) throw new SluiceError(404, 'not-found', 'There is no such key')
  return row
}

function reachOf(principal: Principal): Reach {
  if (may(principal, 'admin')) return { tenant: null, scopes }
  return { tenant: principal.tenant, scopes: [...principal.scopes] }
}

/** @throws SluiceError 403 where the new key would be able to do what its maker cannot */
function mayGrant(
  principal: Principal,
  input: { tenant?: string | undefined; scopes: readonly string[] },
): void {
  if (may(principal, 'admin')) return
  if (input.tenant !== undefined && input.tenant !== principal.tenant) throw otherTenant()
  const lacking = scopes.filter((scope) => input.scopes.includes(scope) && !principal.scopes.has(scope))
  if (lacking.length > 0) {
    const words = lacking.join(', ')
    throw new SluiceError(403, 'forbidden', `A key cannot grant a scope that it lacks: ${words}`)
  }
}

function otherTenant(): SluiceError {
  return new SluiceError(403, 'forbidden', 'This key belongs to another tenant')
}
