import { Elysia } from 'elysia'
import { z } from 'zod'
import { readQuery } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import type { CaptureRoutesOptions } from '../routes.ts'
import { findConversation, showConversation } from './conversation.ts'
import { conversationsQuery, listConversations } from './conversations.ts'
import { conversationMessages, shapes } from './messages.ts'
import { notFound, readId } from './query.ts'
import { reach } from './reach.ts'
import { begun, streamed } from './streamed.ts'
import { readTimeline } from './timeline.ts'
import { findTurn, listTurns, turnsQuery } from './turns.ts'

const tag = 'the record'
const scope = 'read'
const exportQuery = z.strictObject({
  format: z.enum(shapes, `must be one of ${shapes.join(', ')}`).default('openai'),
})

export function conversationRoutes({ reading, authorise }: CaptureRoutesOptions) {
  return new Elysia()
    .get(
      '/api/conversations',
      async ({ request }) => Response.json(await list(request)),
      routeDoc({
        summary: 'List conversations, the last active first',
        scope,
        tag,
        query: conversationsQuery,
      }),
    )
    .get(
      '/api/conversations/:id',
      async ({ request, params: { id } }) => Response.json(await show(request, id)),
      routeDoc({
        summary: 'Show a conversation, its place among the agents, and a page of its turns',
        scope,
        tag,
        query: turnsQuery,
      }),
    )
    .get(
      '/api/conversations/:id/turns',
      async ({ request, params: { id } }) => Response.json(await turns(request, id)),
      routeDoc({ summary: 'List the turns of a conversation', scope, tag, query: turnsQuery }),
    )
    .get(
      '/api/conversations/:id/turns/:number',
      async ({ request, params: { id, number } }) => Response.json(await turn(request, id, number)),
      routeDoc({ summary: 'Show a turn, with its whole text', scope, tag }),
    )
    .get(
      '/api/conversations/:id/timeline',
      async ({ request, params: { id } }) => Response.json(await timeline(request, id)),
      routeDoc({
        summary: 'The turns of a conversation, and the calls of tools that they caused',
        description:
          'Items of `type` `turn` or `call`, in the order in which they happened. A page has `limit` turns, and the calls between them.',
        scope,
        tag,
        query: turnsQuery,
      }),
    )
    .get(
      '/api/conversations/:id/export',
      ({ request, server, params: { id } }) => {
        server?.timeout(request, 0)
        return exported(request, id)
      },
      routeDoc({ summary: 'A conversation as messages for other tools', scope, tag, query: exportQuery }),
    )

  async function list(request: Request) {
    const principal = authorise(request, scope)
    const { limit, cursor, ...filters } = readQuery(request, conversationsQuery)
    const tenant = reach(principal, filters.tenant)
    return await reading.read((sql) => listConversations(sql, { ...filters, tenant }, { limit, cursor }))
  }

  async function show(request: Request, id: string) {
    const reached = reachedBy(request, id)
    const page = readQuery(request, turnsQuery)
    return await reading.read((sql) => showConversation(sql, reached, page))
  }

  async function turns(request: Request, id: string) {
    const reached = reachedBy(request, id)
    const page = readQuery(request, turnsQuery)
    return await reading.read(async (sql) => listTurns(sql, await findConversation(sql, reached), page))
  }

  async function timeline(request: Request, id: string) {
    const reached = reachedBy(request, id)
    const page = readQuery(request, turnsQuery)
    return await reading.read(async (sql) => readTimeline(sql, await findConversation(sql, reached), page))
  }

  async function turn(request: Request, id: string, number: string) {
    const reached = reachedBy(request, id)
    if (!/^[1-9]\d{0,8}$/.test(number)) throw notFound('turn')
    return await reading.read(async (sql) =>
      findTurn(sql, await findConversation(sql, reached), Number(number)),
    )
  }

  async function exported(request: Request, id: string): Promise<Response> {
    const reached = reachedBy(request, id)
    const { format } = readQuery(request, exportQuery)
    const conversation = await reading.read((sql) => findConversation(sql, reached))
    const type = format === 'jsonl' ? 'application/x-ndjson' : 'application/json'
    const headers = { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'private, no-store' }
    return streamed(await begun(conversationMessages(reading.read, conversation, format)), { headers })
  }

  function reachedBy(request: Request, text: string) {
    const tenant = reach(authorise(request, scope), undefined)
    return { id: readId(text, 'conversation'), tenant }
  }
}
