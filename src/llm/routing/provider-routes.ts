import { Elysia } from 'elysia'
import { SluiceError } from '#lib/errors'
import { isId, newId } from '#lib/ids'
import { readJson } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import { deleteKey, deleteProvider, insertKey, putProvider, resetProvider } from './queries.ts'
import type { RoutingRoutesOptions } from './routes-options.ts'
import { keyContext } from './routing.ts'
import { keyBody, providerBody, providerName } from './shapes.ts'

const tag = 'routing'
const scope = 'admin'

/** Providers, their keys and their health over HTTP. A key goes in and never comes out. */
export function providerRoutes({ sql, routing, authorise, vault }: RoutingRoutesOptions) {
  const { providers, health } = routing
  return new Elysia()
    .get(
      '/api/providers',
      ({ request }) => {
        authorise(request, scope)
        return Response.json({ items: providers.names().map(view), next_cursor: null })
      },
      routeDoc({ summary: 'List providers: address, keys, health as this gateway sees it', scope, tag }),
    )
    .get(
      '/api/providers/:name',
      ({ request, params: { name } }) => {
        authorise(request, scope)
        return Response.json(view(known(name)))
      },
      routeDoc({ summary: 'Show a provider', scope, tag }),
    )
    .put(
      '/api/providers/:name',
      async ({ request, params: { name } }) => {
        authorise(request, scope)
        const body = await readJson(request, providerBody)
        if (!providerName.safeParse(name).success || name === 'auto' || name === 'mock') throw badName(name)
        await putProvider(sql, { name, ...body })
        await inForce()
        return Response.json(body.enabled ? view(name) : { name, enabled: false })
      },
      routeDoc({ summary: 'Set a provider up, or change it', scope, tag, body: providerBody }),
    )
    .delete(
      '/api/providers/:name',
      async ({ request, params: { name } }) => {
        authorise(request, scope)
        if (!(await deleteProvider(sql, name))) throw notFound(name)
        await inForce()
        return new Response(null, { status: 204 })
      },
      routeDoc({ summary: 'Forget what was stored of a provider, its keys too', scope, tag, status: 204 }),
    )
    .post(
      '/api/providers/:name/keys',
      async ({ request, params: { name } }) => {
        authorise(request, scope)
        const { key, name: label } = await readJson(request, keyBody)
        known(name)
        const id = newId()
        const last4 = key.slice(-4)
        await insertKey(sql, {
          id,
          provider: name,
          name: label,
          last4,
          sealed: vault.seal(key, keyContext(name, id)),
        })
        await inForce()
        return Response.json({ id, provider: name, name: label, last4 }, { status: 201 })
      },
      routeDoc({
        summary: 'Add a key; it is kept encrypted and never shown again',
        scope,
        tag,
        body: keyBody,
        status: 201,
      }),
    )
    .delete(
      '/api/providers/:name/keys/:id',
      async ({ request, params: { name, id } }) => {
        authorise(request, scope)
        if (!isId(id) || !(await deleteKey(sql, name, id))) throw notFound(`${name}/keys/${id}`)
        await inForce()
        return new Response(null, { status: 204 })
      },
      routeDoc({ summary: 'Remove a stored key', scope, tag, status: 204 }),
    )
    .post(
      '/api/providers/:name/reset',
      async ({ request, params: { name } }) => {
        authorise(request, scope)
        await resetProvider(sql, known(name))
        await inForce()
        return Response.json(view(name))
      },
      routeDoc({ summary: 'Close its breakers and wake its keys, on every gateway', scope, tag }),
    )

  function view(name: string) {
    const provider = providers.find(name)
    if (provider === null) throw notFound(name)
    const { dialect, speaks, open, local, baseUrl, keys } = provider
    const { breaker, busy, models } = health.view(name)
    return {
      ...{
        name,
        base_url: baseUrl,
        dialect,
        speaks,
        open,
        local,
        ready: baseUrl !== null && (open || keys.size > 0),
      },
      keys: keys.view(),
      unreadable_keys: routing.unreadableKeys().flatMap((one) => (one.provider === name ? [one.id] : [])),
      ...{ breaker, busy, models },
    }
  }

  function known(name: string): string {
    if (providers.find(name) === null) throw notFound(name)
    return name
  }

  async function inForce(): Promise<void> {
    await routing.refresh().catch(() => {})
  }
}

function notFound(name: string): SluiceError {
  return new SluiceError(404, 'not-found', `There is no provider ${JSON.stringify(name.slice(0, 100))}`)
}

function badName(name: string): SluiceError {
  return new SluiceError(
    422,
    'bad-name',
    `${JSON.stringify(name.slice(0, 64))} cannot be the name of a provider`,
  )
}
