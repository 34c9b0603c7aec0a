import { Elysia } from 'elysia'
import { SluiceError } from '#lib/errors'
import { newId } from '#lib/ids'
import { readJson } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import { namedTarget, nativeTarget } from '../target.ts'
import { holdBound } from './binding.ts'
import { isRouted } from './decide.ts'
import { explain, explainRules } from './explain.ts'
import { factsOf } from './facts.ts'
import { modelOf } from './model-of.ts'
import { deleteRoute, findRoute, listRoutes, putRoute, type RouteRow } from './queries.ts'
import { type RouteSpec, routeSpec } from './route.ts'
import type { RoutingRoutesOptions } from './routes-options.ts'
import { dryRunBody, newRouteBody, routeBody, routeName } from './shapes.ts'

const tag = 'routing'
const scope = 'admin'

/** Rules over HTTP. What is written is in force here when the answer is sent, elsewhere within a second. */
export function routeRoutes({ sql, routing, authorise }: RoutingRoutesOptions) {
  return new Elysia()
    .get(
      '/api/routes',
      async ({ request }) => {
        authorise(request, scope)
        return Response.json({ items: (await listRoutes(sql)).map(view), next_cursor: null })
      },
      routeDoc({ summary: 'List the rules in the order in which they are asked', scope, tag }),
    )
    .post(
      '/api/routes',
      async ({ request }) => {
        authorise(request, scope)
        const { name, ...route } = await readJson(request, newRouteBody)
        if ((await findRoute(sql, name)) !== null)
          throw new SluiceError(
            409,
            'exists',
            `There is a route ${name} already: PUT /api/routes/${name} changes it`,
          )
        return Response.json((await put(name, route)).route, { status: 201 })
      },
      routeDoc({ summary: 'Make a rule', scope, tag, body: newRouteBody, status: 201 }),
    )
    .post(
      '/api/routes/dry-run',
      async ({ request }) => {
        authorise(request, scope)
        return Response.json(await dryRun(request))
      },
      routeDoc({
        summary: 'What would be done with a call, and why',
        description: 'Asks no provider. A call itself is explained by the header `sluice-dry-run: 1`.',
        scope,
        tag,
        body: dryRunBody,
      }),
    )
    .get(
      '/api/routes/:name',
      async ({ request, params: { name } }) => {
        authorise(request, scope)
        return Response.json(view(found(await findRoute(sql, name), name)))
      },
      routeDoc({ summary: 'Show a rule', scope, tag }),
    )
    .put(
      '/api/routes/:name',
      async ({ request, params: { name } }) => {
        authorise(request, scope)
        const route = await readJson(request, routeBody)
        if (!routeName.safeParse(name).success) throw badName(name)
        const { made, route: shown } = await put(name, route)
        return Response.json(shown, { status: made ? 201 : 200 })
      },
      routeDoc({ summary: 'Make a rule, or replace it', scope, tag, body: routeBody }),
    )
    .delete(
      '/api/routes/:name',
      async ({ request, params: { name } }) => {
        authorise(request, scope)
        if (!(await deleteRoute(sql, name))) found(null, name)
        await inForce()
        return new Response(null, { status: 204 })
      },
      routeDoc({ summary: 'Remove a rule', scope, tag, status: 204 }),
    )

  async function put(name: string, input: RouteSpec & { position: number; enabled: boolean }) {
    const { position, enabled, ...spec } = input
    const { made, ...row } = await putRoute(sql, { id: newId(), name, position, enabled, spec })
    await inForce()
    return { made, route: view(row) }
  }

  /** It is committed: should the database go down just now, the next check brings it. */
  async function inForce(): Promise<void> {
    await routing.refresh().catch(() => {})
  }

  async function dryRun(request: Request) {
    const asked = await readJson(request, dryRunBody)
    const headers = headersOf(asked.headers)
    const text =
      typeof asked.body === 'string' ? asked.body : asked.body === undefined ? '' : JSON.stringify(asked.body)
    const body = Buffer.from(text)
    const { path } = asked
    const target = path.startsWith('/p/') ? namedTarget(path) : nativeTarget(path, headers)
    const model = asked.model ?? modelOf(target.path, body, null)
    const { tenant, key_id: keyId, tags, trusted } = asked
    const bytes = asked.bytes ?? body.byteLength
    const facts = factsOf({ headers, trusted }, { dialect: target.dialect, path: target.path, body })
    const shape = { dialect: target.dialect, tenant, keyId, tags, headers, bytes, model, facts }
    const { planner, providers, health } = routing
    const routed = isRouted(target)
    const plan = () => {
      const made = routed ? planner.plan(shape) : null
      if (made === null) holdBound(routing, shape, target)
      return made
    }
    return {
      ...explain(plan, { dialect: target.dialect, model, providers, health }),
      native_provider: target.provider,
      dialect: target.dialect,
      rules: explainRules(routed ? planner.rules() : planner.binding(), shape),
    }
  }
}

function headersOf(given: Record<string, string>): Headers {
  try {
    return new Headers(given)
  } catch (cause) {
    throw new SluiceError(422, 'bad-body', '/headers: a name or value that no header can have', { cause })
  }
}

/** A spec as it would be now: written by an older version, it has the defaults of this one. */
function view({ spec, ...row }: RouteRow) {
  const read = routeSpec.safeParse(spec)
  return { ...row, ...(read.success ? read.data : { unreadable: spec }) }
}

function found(row: RouteRow | null, name: string): RouteRow {
  if (row === null)
    throw new SluiceError(404, 'not-found', `There is no route ${JSON.stringify(name.slice(0, 64))}`)
  return row
}

function badName(name: string): SluiceError {
  return new SluiceError(
    422,
    'bad-name',
    `${JSON.stringify(name.slice(0, 64))}: a name is of a-z, 0-9 and . _ -`,
  )
}
