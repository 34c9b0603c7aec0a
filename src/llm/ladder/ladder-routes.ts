import { Elysia } from 'elysia'
import type { Sql } from 'postgres'
import { z } from 'zod'
import { type Authorise, may } from '#access'
import { SluiceError } from '#lib/errors'
import { text } from '#lib/fields'
import { idTime } from '#lib/ids'
import { readJson, readQuery } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import { idOf, notFound, pageOf, pageQuery, reachOf } from '../money/shapes.ts'
import { answerTask, findClimb, findTask, listTasks, type TaskRow } from './queries.ts'

const tag = 'ladder'
const tasksQuery = z.strictObject({ ...pageQuery, status: z.enum(['waiting', 'answered']).optional() })
const answerBody = z.strictObject({
  answer: text.min(1).max(500_000),
})

/** Who reads sees the own tenant's. To answer takes an admin: an agent must not be the human that it is sent to. */
export function ladderRoutes({ sql, authorise }: { sql: Sql; authorise: Authorise }) {
  return new Elysia({ name: 'ladder' })
    .get(
      '/api/climbs/:id',
      async ({ request, params: { id } }) => {
        const tenant = reachOf(authorise(request, 'read'), undefined)
        const found = await findClimb(sql, idOf(id, 'climb'), tenant)
        if (found === null) throw notFound('climb')
        return Response.json({ ...found, created_at: timeOf(found.id) })
      },
      routeDoc({
        summary: 'Show how a call climbed its ladder: whom it asked, what was made of it, what it cost',
        scope: 'read',
        tag,
      }),
    )
    .get(
      '/api/tasks',
      async ({ request }) => {
        const principal = authorise(request, 'read')
        const { limit, cursor, status } = readQuery(request, tasksQuery)
        const tenant = may(principal, 'admin') ? null : principal.tenant
        const rows = await listTasks(sql, { tenant, status: status ?? null, before: cursor ?? null, limit })
        return Response.json(pageOf(rows.map(view), limit))
      },
      routeDoc({
        summary: 'List questions for a human, newest first',
        scope: 'read',
        tag,
        query: tasksQuery,
      }),
    )
    .get(
      '/api/tasks/:id',
      async ({ request, params: { id } }) => {
        const tenant = reachOf(authorise(request, 'read'), undefined)
        return Response.json(view(await find(id, tenant)))
      },
      routeDoc({ summary: 'Show a question for a human, and its answer', scope: 'read', tag }),
    )
    .post(
      '/api/tasks/:id/answer',
      async ({ request, params: { id } }) => {
        const principal = authorise(request, 'admin')
        const { answer } = await readJson(request, answerBody)
        await find(id, null)
        if (!(await answerTask(sql, id, { answer, by: principal.keyId ?? 'admin' })))
          throw new SluiceError(409, 'answered', `task ${id}: it is answered already`)
        return Response.json(view(await find(id, null)))
      },
      routeDoc({
        summary: 'Answer a question for a human; who waits for it gets it',
        scope: 'admin',
        tag,
        body: answerBody,
      }),
    )

  async function find(id: string, tenant: string | null): Promise<TaskRow> {
    const found = await findTask(sql, idOf(id, 'task'), tenant)
    if (found === null) throw notFound('task')
    return found
  }
}

function view(task: TaskRow) {
  return { ...task, created_at: timeOf(task.id), answered_at: task.answered_at?.toISOString() ?? null }
}

function timeOf(id: string): string {
  return new Date(idTime(id)).toISOString()
}
