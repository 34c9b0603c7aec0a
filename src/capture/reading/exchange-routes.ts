import { Elysia } from 'elysia'
import { z } from 'zod'
import { readJson, readQuery } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import type { CaptureRoutesOptions } from '../routes.ts'
import { readCaused } from './children.ts'
import { exchangesQuery, findExchange, listExchanges } from './exchanges.ts'
import { flag, readId } from './query.ts'
import { findRecorded, rawResponse, recordedHeaders, type Side } from './raw.ts'
import { reach } from './reach.ts'
import { replayBody, replayExchange } from './replay.ts'

const tag = 'the record'
const scope = 'read'
const rawQuery = z.strictObject({
  decoded: flag.default(false).meta({ description: 'Compression undone' }),
})

export function exchangeRoutes(options: CaptureRoutesOptions) {
  const { reading, authorise } = options

  return new Elysia()
    .get(
      '/api/exchanges',
      async ({ request }) => Response.json(await list(request)),
      routeDoc({ summary: 'List exchanges, newest first', scope, tag, query: exchangesQuery }),
    )
    .get(
      '/api/exchanges/:id',
      async ({ request, params: { id } }) => Response.json(await show(request, id)),
      routeDoc({
        summary: 'Show an exchange, with its headers, its tool uses and what it caused',
        scope,
        tag,
      }),
    )
    .get(
      '/api/exchanges/:id/request',
      ({ request, params: { id } }) => raw(request, id, 'request'),
      routeDoc({ summary: 'The bytes that the client sent', scope, tag, query: rawQuery, answer: '*/*' }),
    )
    .get(
      '/api/exchanges/:id/response',
      ({ request, params: { id } }) => raw(request, id, 'response'),
      routeDoc({ summary: 'The bytes that the client received', scope, tag, query: rawQuery, answer: '*/*' }),
    )
    .post(
      '/api/exchanges/:id/replay',
      ({ request, server, params: { id } }) => {
        // A model may be silent for longer than the server lets a connection be.
        server?.timeout(request, 0)
        return replay(request, id)
      },
      routeDoc({
        summary: 'Send its request again, as a new exchange',
        description: 'Answers as the upstream does; the header `sluice-exchange` names the new exchange.',
        scope: 'replay',
        tag,
        body: replayBody,
        answer: '*/*',
      }),
    )

  async function list(request: Request) {
    const principal = authorise(request, scope)
    const { limit, cursor, ...filters } = readQuery(request, exchangesQuery)
    const tenant = reach(principal, filters.tenant)
    return await reading.read((sql) => listExchanges(sql, { ...filters, tenant }, { limit, cursor }))
  }

  async function show(request: Request, text: string) {
    const tenant = reach(authorise(request, scope), undefined)
    const id = readId(text, 'exchange')
    return await reading.read(async (sql) => {
      const exchange = await findExchange(sql, id, tenant)
      const [headers, caused] = await Promise.all([recordedHeaders(sql, id), readCaused(sql, exchange)])
      return { ...exchange, ...headers, ...caused }
    })
  }

  async function raw(request: Request, text: string, side: Side): Promise<Response> {
    const tenant = reach(authorise(request, scope), undefined)
    const query = readQuery(request, rawQuery)
    const id = readId(text, 'exchange')
    return rawResponse(await reading.read((sql) => findRecorded(sql, { id, tenant })), side, query)
  }

  async function replay(request: Request, text: string): Promise<Response> {
    const principal = authorise(request, 'replay')
    const id = readId(text, 'exchange')
    const asked = await readJson(request, replayBody)
    return await replayExchange(id, { ...options, principal, request }, asked)
  }
}
