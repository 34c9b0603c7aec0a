import { Elysia } from 'elysia'
import { z } from 'zod'
import { readQuery } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import type { CaptureRoutesOptions } from '../routes.ts'
import { exchangeFilters } from './exchange-filters.ts'
import { exportPieces } from './export.ts'
import { exportQuery } from './export-query.ts'
import { showLedger } from './ledger.ts'
import { reach } from './reach.ts'
import { begun, streamed } from './streamed.ts'
import { tailHeaders, tailStream } from './tail-stream.ts'

const tag = 'the record'
const scope = 'read'
const tailQuery = z.strictObject({
  ...exchangeFilters,
  key: z
    .string()
    .optional()
    .meta({ description: 'The credential, for an EventSource, which sends no headers' }),
  last_event_id: z.string().optional().meta({ description: 'As the header Last-Event-ID' }),
})

/** What flows: the tail and exports as streams, which no idle limit may cut; and the ledger. */
export function flowRoutes({ reading, authorise, ledgers, log, heartbeatMs }: CaptureRoutesOptions) {
  return new Elysia()
    .get(
      '/api/tail',
      ({ request, server }) => {
        server?.timeout(request, 0)
        return tail(request)
      },
      routeDoc({
        summary: 'Follow exchanges as they are stored',
        description:
          'Server-sent events: `ready`, then `exchange` for each, `gap` where too many were missed to send them again, `closed` with a reason at the end. At least once after a new connection.',
        scope,
        tag,
        query: tailQuery,
        answer: 'text/event-stream',
      }),
    )
    .get(
      '/api/export',
      ({ request, server }) => {
        server?.timeout(request, 0)
        return exported(request)
      },
      routeDoc({
        summary: 'Export the record as lines of JSON, oldest first',
        description:
          'The last line is a trailer: `{"type":"end",…}` where all was sent, else `"type":"error"`; its `after` is where to go on. An exchange counts by its start and is stored after its end: leave a margin before the present to miss none.',
        scope,
        tag,
        query: exportQuery,
        answer: 'application/x-ndjson',
      }),
    )
    .get(
      '/api/ledger',
      async ({ request }) => {
        authorise(request, scope)
        return Response.json(await showLedger(reading.read, ledgers()))
      },
      routeDoc({ summary: 'Where every accepted exchange is: the sum adds up', scope, tag }),
    )

  async function tail(request: Request): Promise<Response> {
    const principal = authorise(request, scope)
    if (request.method === 'HEAD') return new Response(null, { headers: tailHeaders })
    const { key: _, last_event_id, ...filters } = readQuery(request, tailQuery)
    return await tailStream({
      reading,
      filters: { ...filters, tenant: reach(principal, filters.tenant) },
      lastEventId: request.headers.get('last-event-id') ?? last_event_id ?? null,
      check: () => void authorise(request, scope),
      ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
    })
  }

  async function exported(request: Request): Promise<Response> {
    const principal = authorise(request, scope)
    const query = readQuery(request, exportQuery)
    const tenant = reach(principal, query.tenant)
    const pieces = exportPieces(query, { read: reading.read, tenant, signal: request.signal, log })
    const headers = {
      'content-type': 'application/x-ndjson; charset=utf-8',
      'cache-control': 'private, no-store',
    }
    return streamed(await begun(pieces), { headers })
  }
}
