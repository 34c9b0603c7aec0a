import { Elysia } from 'elysia'
import { z } from 'zod'
import type { Authorise } from '#access'
import { SluiceError } from '#lib/errors'
import { checkBody, readJson, readQuery } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import type { ServerRow } from './queries.ts'
import { isOwn } from './read-stored.ts'
import { type Reports, toolReport } from './report.ts'
import { transports } from './server.ts'
import {
  newServerBody,
  type ServerView,
  serverBody,
  serverPatch,
  serverQuery,
  serverView,
} from './server-shapes.ts'
import { readSpec, type ServerStoreOptions, serverStore } from './server-store.ts'
import type { Servers } from './servers.ts'
import { shownArgs } from './shown.ts'

const tag = 'mcp'
const scope = 'admin'

export type ServerRoutesOptions = ServerStoreOptions & {
  servers: Servers
  reports: Reports
  authorise: Authorise
}

/** What the routes of the other rows need. */
export type RowRoutesOptions = Pick<ServerRoutesOptions, 'sql' | 'servers' | 'authorise'>

/** Servers over HTTP, for admins alone: a row may name a command. In force here when the answer is sent. */
export function serverRowRoutes({ servers, reports, authorise, ...options }: ServerRoutesOptions) {
  const store = serverStore(options)
  return new Elysia()
    .get(
      '/api/mcp/servers',
      async ({ request }) => {
        authorise(request, scope)
        const { tenant } = readQuery(request, serverQuery)
        return Response.json({ items: (await store.list(tenant ?? null)).map(view), next_cursor: null })
      },
      routeDoc({
        ...{ summary: 'List MCP servers and how they are doing', scope, tag, query: serverQuery },
        answer: z.object({ items: z.array(serverView), next_cursor: z.null() }),
      }),
    )
    .post(
      '/api/mcp/servers',
      async ({ request }) => {
        const { tenant: own } = authorise(request, scope)
        const body = await readJson(request, newServerBody)
        const row = await store.add(body.tenant === undefined ? own : body.tenant, body)
        await inForce()
        return Response.json(view(row), { status: 201 })
      },
      routeDoc({
        ...{ summary: 'Add an MCP server', scope, tag, body: newServerBody, answer: serverView, status: 201 },
        description: `Transports: ${transports.join(', ')}. Every client is told of its tools within a second.`,
      }),
    )
    .get(
      '/api/mcp/servers/:name',
      async ({ request, params: { name } }) => Response.json(view(await found(request, name))),
      routeDoc({
        summary: 'Show an MCP server, by name or id',
        scope,
        tag,
        query: serverQuery,
        answer: serverView,
      }),
    )
    .put(
      '/api/mcp/servers/:name',
      async ({ request, params: { name } }) => {
        const { tenant: own } = authorise(request, scope)
        const { tenant = own } = readQuery(request, serverQuery)
        const body = await readJson(request, z.looseObject({}))
        const row = await store.find(tenant, name).catch(orNull)
        const saved =
          row === null
            ? await store.add(tenant, checkBody({ ...body, name }, newServerBody))
            : await store.replace(row, checkBody(body, serverBody), Object.keys(body))
        await inForce()
        return Response.json(view(saved), { status: row === null ? 201 : 200 })
      },
      routeDoc({
        ...{ summary: 'Add an MCP server, or replace its settings', scope, tag },
        ...{ query: serverQuery, body: serverBody, answer: serverView },
        description: 'Where env or headers are left out, the stored ones stay.',
      }),
    )
    .patch(
      '/api/mcp/servers/:name',
      async ({ request, params: { name } }) => {
        const row = await found(request, name)
        const saved = await store.change(row, await readJson(request, serverPatch))
        await inForce()
        return Response.json(view(saved))
      },
      routeDoc({
        ...{ summary: 'Change some settings: switch it on or off, whole or by tool', scope, tag },
        ...{ query: serverQuery, body: serverPatch, answer: serverView },
        description:
          'Any of the settings that PUT takes, the rest stays: as in `{"enabled": false}` or `{"tools": {"delete_all": {"enabled": false}}}`.',
      }),
    )
    .delete(
      '/api/mcp/servers/:name',
      async ({ request, params: { name } }) => {
        await store.remove((await found(request, name)).id)
        await inForce()
        return new Response(null, { status: 204 })
      },
      routeDoc({
        summary: 'Remove an MCP server; its process ends',
        scope,
        tag,
        query: serverQuery,
        status: 204,
      }),
    )
    .get(
      '/api/mcp/servers/:name/tools',
      async ({ request, params: { name } }) => {
        const { id } = await found(request, name)
        return Response.json({ items: reports.tools(id), next_cursor: null })
      },
      routeDoc({
        ...{ summary: 'List what tools it was last known to offer, and their switches', scope, tag },
        ...{ query: serverQuery, answer: z.object({ items: z.array(toolReport), next_cursor: z.null() }) },
      }),
    )
    .post(
      '/api/mcp/servers/:name/refresh',
      async ({ request, params: { name } }) => {
        const row = await found(request, name)
        await reports.refresh(row.id, request.signal)
        return Response.json(view(row))
      },
      routeDoc({
        ...{ summary: 'Connect to it, ask for its lists again, and say what was found', scope, tag },
        ...{ query: serverQuery, answer: serverView },
      }),
    )

  async function found(request: Request, name: string): Promise<ServerRow> {
    const { tenant: own } = authorise(request, scope)
    const { tenant = own } = readQuery(request, serverQuery)
    if (isOwn(name))
      throw new SluiceError(404, 'not-found', 'Its own tools are no MCP server that can be changed')
    return await store.find(tenant, name)
  }

  function view(row: ServerRow): ServerView {
    const { id, tenant, name, enabled, transport, created_at, updated_at } = row
    const spec = readSpec(row)
    const held = servers.all().find((one) => one.id === id)
    return {
      ...{ id, tenant, name, enabled, transport: transport as ServerView['transport'] },
      ...{ ...spec, args: shownArgs(spec.args) },
      problem: held?.problem ?? null,
      ...{ created_at, updated_at, state: reports.report(id) },
    }
  }

  /** It is committed: should the database go down just now, the next check brings it. */
  async function inForce(): Promise<void> {
    await servers.refresh().catch(() => {})
  }
}

function orNull(error: unknown): null {
  if (error instanceof SluiceError && error.status === 404) return null
  throw error
}
