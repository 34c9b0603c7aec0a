import { Elysia } from 'elysia'
import type { Sql } from 'postgres'
import { z } from 'zod'
import type { Authorise } from '#access'
import { SluiceError } from '#lib/errors'
import { time, word } from '#lib/fields'
import { readJson, readQuery } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import { deleteContext, findContext, listContexts, noContext, setContext } from '../contexts/contexts.ts'
import { level, logBatch, logClearance } from '../logs/log-entry.ts'
import { clearLogs, logStats, queryLogs } from '../logs/read-logs.ts'
import { storeLogs } from '../logs/store-logs.ts'
import { flag, wholeNumber } from '../reading/query.ts'
import { reach } from '../reading/reach.ts'
import type { Reading } from '../reading/reading.ts'
import { mayKeep } from '../tool-input.ts'

export type KeptRoutesOptions = { sql: Sql; reading: Pick<Reading, 'read'>; authorise: Authorise }

const tag = 'kept by agents'
const logsQuery = z.strictObject({
  ...{ trace_id: word.optional(), component: word.optional(), level: level.optional() },
  ...{ start_time: time.optional(), end_time: time.optional() },
  search: z.string().min(1).max(1_000).optional(),
  limit: wholeNumber.refine((n) => n >= 1 && n <= 1_000, 'must be 1 to 1000').default(100),
})
const contextBody = z.strictObject({
  content: z.string().max(1024 * 1024),
  set_active: z.boolean().optional(),
})
const deleteQuery = z.strictObject({ force: flag.default(false) })
const storeBytes = 16 * 1024 * 1024

/** Startup contexts and logs over HTTP, as the tools have them. */
export function keptRoutes({ sql, reading, authorise }: KeptRoutesOptions) {
  return new Elysia({ name: 'kept' })
    .get(
      '/api/contexts',
      async ({ request }) => {
        const { tenant } = authorise(request, 'read')
        const items = await listContexts(sql, tenant, { content: false })
        return Response.json({ items, next_cursor: null })
      },
      routeDoc({ summary: 'List startup contexts, by name', scope: 'read', tag }),
    )
    .get(
      '/api/contexts/:name',
      async ({ request, params: { name } }) => {
        const { tenant } = authorise(request, 'read')
        const found = await findContext(sql, tenant, nameOf(name))
        if (found === null) throw noContext(nameOf(name))
        return Response.json(found)
      },
      routeDoc({ summary: 'Show a startup context', scope: 'read', tag }),
    )
    .put(
      '/api/contexts/:name',
      async ({ request, params: { name } }) => {
        const principal = authorise(request, 'call')
        mayKeep(principal)
        const { content, set_active: active } = await readJson(request, contextBody, { limit: storeBytes })
        return Response.json(await setContext(sql, principal.tenant, { name: nameOf(name), content, active }))
      },
      routeDoc({
        summary: 'Set a startup context; one is active at most',
        scope: 'call',
        tag,
        body: contextBody,
      }),
    )
    .delete(
      '/api/contexts/:name',
      async ({ request, params: { name } }) => {
        const { tenant } = authorise(request, 'call')
        await deleteContext(sql, tenant, { name: nameOf(name), ...readQuery(request, deleteQuery) })
        return new Response(null, { status: 204 })
      },
      routeDoc({ summary: 'Delete a startup context', scope: 'call', tag, query: deleteQuery, status: 204 }),
    )
    .get(
      '/api/logs',
      async ({ request }) => {
        const tenant = reach(authorise(request, 'read'), undefined)
        const query = readQuery(request, logsQuery)
        const items = await reading.read((db) => queryLogs(db, tenant, query))
        return Response.json({ items, next_cursor: null })
      },
      routeDoc({
        summary: 'Logs that agents and services stored, the latest first',
        scope: 'read',
        tag,
        query: logsQuery,
      }),
    )
    .get(
      '/api/logs/stats',
      async ({ request }) => {
        const tenant = reach(authorise(request, 'read'), undefined)
        return Response.json(await reading.read((db) => logStats(db, tenant)))
      },
      routeDoc({ summary: 'How many logs there are, by component and level', scope: 'read', tag }),
    )
    .post(
      '/api/logs',
      async ({ request }) => {
        const principal = authorise(request, 'call')
        mayKeep(principal)
        const { logs } = await readJson(request, logBatch, { limit: storeBytes })
        return Response.json({ inserted_count: await storeLogs(sql, principal, logs) }, { status: 201 })
      },
      routeDoc({ summary: 'Store logs, all or none', scope: 'call', tag, body: logBatch, status: 201 }),
    )
    .post(
      '/api/logs/clear',
      async ({ request }) => {
        const { tenant } = authorise(request, 'call')
        const which = await readJson(request, logClearance)
        return Response.json({ deleted_count: await clearLogs(sql, tenant, which) })
      },
      routeDoc({ summary: 'Delete logs for good', scope: 'call', tag, body: logClearance }),
    )
}

/** @throws SluiceError 404 where nothing can have that name */
function nameOf(text: string): string {
  const parsed = word.safeParse(text)
  if (parsed.success) return parsed.data
  throw new SluiceError(404, 'not-found', 'There is no such startup context')
}
