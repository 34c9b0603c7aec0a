import { Elysia } from 'elysia'
import { z } from 'zod'
import type { Authorise } from '#access'
import { readJson } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import { tagsOf } from '../headers.ts'
import { keyBody } from '../routing/shapes.ts'
import { progressStream } from './events.ts'
import type { Orchestra } from './orchestra.ts'
import {
  configView,
  keyView,
  modelsBody,
  modelView,
  mostCharacters,
  outcome,
  outputBody,
  sendBody,
} from './shapes.ts'

const tag = 'orchestra'
const call = { scope: 'call', tag } as const
const admin = { scope: 'admin', tag } as const
const key = keyBody.pick({ key: true })

/** JSON writes some characters as two or six; most are one. */
const mostBytes = mostCharacters * 1.5

const description = `All models are asked at once, each by a call of its own through this gateway: routed to its provider, counted against budgets and limits of the key, and on record with the tags \`orchestra\` and \`orchestra:<id>\` as one conversation. One that fails has its reason beside the answers of the others. A client that leaves cancels what is under way.

With \`accept: text/event-stream\` partial results come as events: \`started\`, \`text\`, \`result\` for each model, \`consensus\`, \`summary\`, and last \`done\` with what is otherwise the whole answer.`

/** The eight operations over HTTP. */
export function orchestraRoutes({ orchestra, authorise }: { orchestra: Orchestra; authorise: Authorise }) {
  return new Elysia({ name: 'orchestra' })
    .get(
      '/api/orchestra',
      async ({ request }) => Response.json(await orchestra.getConfig(authorise(request, 'call'))),
      routeDoc({ summary: 'Show whom a prompt goes to, and the limits', ...call, answer: configView }),
    )
    .post(
      '/api/orchestra',
      async ({ request, server }) => {
        server?.timeout(request, 0)
        return await send(request)
      },
      routeDoc({
        summary: 'Send one prompt to many models',
        description,
        ...call,
        body: sendBody,
        answer: outcome,
      }),
    )
    .get(
      '/api/orchestra/models',
      async ({ request }) => {
        const items = await orchestra.listModels(authorise(request, 'call'))
        return Response.json({ items, next_cursor: null })
      },
      routeDoc({
        summary: 'List models that are set or come by default',
        ...call,
        answer: listOf(modelView),
      }),
    )
    .put(
      '/api/orchestra/models',
      async ({ request }) => {
        const principal = authorise(request, 'call')
        const { models } = await readJson(request, modelsBody)
        return Response.json(await orchestra.setModels(principal, models))
      },
      routeDoc({
        summary: 'Set whom a prompt goes to, for the tenant',
        ...call,
        body: modelsBody,
        answer: configView,
      }),
    )
    .put(
      '/api/orchestra/output',
      async ({ request }) => {
        const principal = authorise(request, 'admin')
        const { folder } = await readJson(request, outputBody)
        return Response.json(await orchestra.setOutput(principal, folder))
      },
      routeDoc({
        summary: 'Set the folder under DATA_DIR/orchestra/<tenant> that answers are written to as well',
        ...{ ...admin, body: outputBody, answer: configView },
      }),
    )
    .get(
      '/api/orchestra/keys',
      ({ request }) => {
        authorise(request, 'admin')
        return Response.json({ items: orchestra.listKeys(), next_cursor: null })
      },
      routeDoc({ summary: 'List provider keys, without the keys', ...admin, answer: listOf(keyView) }),
    )
    .put(
      '/api/orchestra/keys/:provider',
      async ({ request, params: { provider } }) => {
        authorise(request, 'admin')
        await orchestra.setKey(provider, (await readJson(request, key)).key)
        return new Response(null, { status: 204 })
      },
      routeDoc({
        summary: 'Set the key of a provider; it is kept encrypted',
        ...admin,
        body: key,
        status: 204,
      }),
    )
    .delete(
      '/api/orchestra/keys/:provider',
      async ({ request, params: { provider } }) => {
        authorise(request, 'admin')
        await orchestra.deleteKey(provider)
        return new Response(null, { status: 204 })
      },
      routeDoc({ summary: 'Delete the key that was set here', ...admin, status: 204 }),
    )

  async function send(request: Request): Promise<Response> {
    const { tags, ...asking } = authorise(request, 'call')
    const principal = { ...asking, tags: tagsOf(request.headers, tags) }
    const body = await readJson(request, sendBody, { limit: mostBytes })
    const streams = request.headers.get('accept')?.includes('text/event-stream') ?? false
    if (!streams) return Response.json(await orchestra.send(principal, body, { signal: request.signal }))
    return progressStream((options) => orchestra.send(principal, body, options), request.signal)
  }
}

function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next_cursor: z.null() })
}
