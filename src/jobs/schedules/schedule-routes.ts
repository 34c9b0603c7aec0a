import { Elysia } from 'elysia'
import type { Sql, TransactionSql } from 'postgres'
import { z } from 'zod'
import { type Audit, type Authorise, may, type Principal } from '#access'
import { InputError, SluiceError } from '#lib/errors'
import { isId } from '#lib/ids'
import { checkBody, parseKept, readBytes, readJson, readQuery } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import { audited } from '../audited.ts'
import type { Announcer } from '../events/announce.ts'
import { reach } from '../reading/job-routes.ts'
import type { Registry } from '../registry.ts'
import { mostBytes } from '../submission/limits.ts'
import { checkWebhook } from '../submission/needs.ts'
import type { OwnWebhook } from '../webhooks/own.ts'
import type { Receivers } from '../webhooks/receivers.ts'
import { timingFrom } from './asked-timing.ts'
import { changesOf } from './change-schedule.ts'
import { submit } from './fire.ts'
import { newSchedule } from './new-schedule.ts'
import {
  deleteSchedule,
  findSchedule,
  holdSchedule,
  insertSchedule,
  listSchedules,
  updateSchedule,
} from './queries.ts'
import { type ScheduleRow, upcoming, viewOf } from './rows.ts'
import {
  newScheduleView,
  scheduleChange,
  scheduleInput,
  scheduleView,
  timesInput,
  timesView,
} from './shapes.ts'

const tag = 'jobs'

export type ScheduleRoutesOptions = {
  sql: Sql
  registry: Registry
  announcer: Announcer
  receivers: Receivers
  authorise: Authorise
  audit?: Audit
}

const query = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,3}$/)
    .transform(Number)
    .pipe(z.int().min(1).max(500))
    .default(50),
  cursor: z.string().refine(isId, 'must be a next_cursor of this list').optional(),
  tenant: z.string().min(1).max(200).optional(),
})

const description = `Exactly one of \`cron\` (with \`time_zone\`), \`every\` (seconds) and \`at\`. Each time is taken by one worker, in the transaction that stores its job, so that none comes twice; they come on time while the queue is down. Times are those of the zone: where clocks are put forward, one that does not exist comes at the next that does.`

/** Jobs on time. Who made one may change it; others of the tenant need the scope \`operator\`. */
export function scheduleRoutes(options: ScheduleRoutesOptions) {
  const { sql, registry, announcer, receivers, authorise, audit } = options
  return new Elysia()
    .post(
      '/api/schedules',
      async ({ request }) => Response.json(await create(request), { status: 201 }),
      routeDoc({
        ...{ summary: 'Submit a job again and again, or once later', description, scope: 'call', tag },
        ...{ body: scheduleInput, answer: newScheduleView, status: 201 },
      }),
    )
    .get(
      '/api/schedules',
      async ({ request }) => Response.json(await list(request)),
      routeDoc({
        ...{ summary: 'List schedules, newest first', scope: 'read', tag, query },
        answer: z.object({ items: z.array(scheduleView), next_cursor: z.string().nullable() }),
      }),
    )
    .post(
      '/api/schedules/preview',
      async ({ request }) => {
        authorise(request, 'read')
        return Response.json({ upcoming: timesOf(await readJson(request, timesInput)) })
      },
      routeDoc({
        ...{ summary: 'When a schedule would submit; makes none', scope: 'read', tag },
        ...{ body: timesInput, answer: timesView },
      }),
    )
    .get(
      '/api/schedules/:id',
      async ({ request, params: { id } }) => {
        const tenant = reach(authorise(request, 'read'), undefined)
        return Response.json(viewOf(await find(id, tenant), { body: true }))
      },
      routeDoc({ summary: 'Show a schedule', scope: 'read', tag, answer: scheduleView }),
    )
    .patch(
      '/api/schedules/:id',
      async ({ request, params: { id } }) => Response.json(await change(request, id)),
      routeDoc({
        ...{ summary: 'Change a schedule, stop or start it', scope: 'call', tag },
        ...{ body: scheduleChange, answer: newScheduleView },
      }),
    )
    .delete(
      '/api/schedules/:id',
      async ({ request, params: { id } }) => {
        const { row, principal } = await own(request, id)
        await deed('delete', { request, principal, id: row.id }, (tx) => deleteSchedule(tx, row.id))
        return new Response(null, { status: 204 })
      },
      routeDoc({ summary: 'Delete a schedule; its jobs stay', scope: 'call', tag, status: 204 }),
    )
    .post(
      '/api/schedules/:id/run',
      async ({ request, params: { id } }) => Response.json(await run(request, id), { status: 202 }),
      routeDoc({
        ...{ summary: 'Submit its job now, beside its times', scope: 'call', tag, status: 202 },
        answer: z.object({ job_id: z.uuid() }),
      }),
    )

  async function create(request: Request) {
    const principal = authorise(request, 'call')
    const input = checkBody(parseKept(await readBytes(request, mostBytes)), scheduleInput)
    const { row, own } = newSchedule(input, { principal, registry, receivers })
    if (typeof input.job.webhook === 'string')
      await checkWebhook(sql, principal.tenant, input.job.webhook, '/job')
    await deed('create', { request, principal, id: row.id }, (tx) => insertSchedule(tx, row, own))
    return { ...viewOf(row, { body: true }), ...shownOnce(own) }
  }

  async function list(request: Request) {
    const principal = authorise(request, 'read')
    const { limit, cursor, tenant } = readQuery(request, query)
    const rows = await listSchedules(sql, {
      tenant: reach(principal, tenant),
      limit: limit + 1,
      cursor: cursor ?? null,
    })
    const items = rows.slice(0, limit).map((row) => viewOf(row))
    return { items, next_cursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null }
  }

  async function change(request: Request, id: string) {
    const { row, principal } = await own(request, id)
    const asked = checkBody(parseKept(await readBytes(request, mostBytes)), scheduleChange)
    const webhook = asked.job?.webhook
    // One of its own may stay; it is none that others may name.
    if (typeof webhook === 'string' && webhook !== row.job.webhook)
      await checkWebhook(sql, row.tenant, webhook, '/job')
    const who = { request, principal, id: row.id, detail: { changed: Object.keys(asked) } }
    const { after, own: made } = await deed('change', who, async (tx) => {
      const held = await holdSchedule(tx, row.id)
      if (held === null) throw gone()
      const changes = changesOf(held, asked, { principal, registry, receivers })
      return { after: await updateSchedule(tx, held, changes), own: changes.own }
    })
    return { ...viewOf(after, { body: true }), ...shownOnce(made) }
  }

  async function run(request: Request, id: string) {
    const { row, principal } = await own(request, id)
    const job_id = await deed('run', { request, principal, id: row.id }, async (tx) => {
      const { id: job_id, error } = await submit(tx, row, registry)
      if (job_id === null) throw new InputError(422, 'bad-schedule', [{ pointer: '', detail: error }])
      return job_id
    })
    announcer.due()
    return { job_id }
  }

  async function find(id: string, tenant: string | null): Promise<ScheduleRow> {
    const row = isId(id) ? await findSchedule(sql, id, tenant) : null
    if (row === null) throw gone()
    return row
  }

  /** @throws SluiceError 403 where it is another key's and the own one may not operate */
  async function own(request: Request, id: string): Promise<{ row: ScheduleRow; principal: Principal }> {
    const principal = authorise(request, 'call')
    const row = await find(id, reach(principal, undefined))
    if (row.key_id === principal.keyId || may(principal, 'operator')) return { row, principal }
    throw new SluiceError(
      403,
      'forbidden',
      'The schedule is that of another key: this needs the scope operator',
    )
  }

  async function deed<Result>(
    action: string,
    { id, ...who }: { request: Request; principal: Principal; id: string; detail?: Record<string, unknown> },
    work: (tx: TransactionSql) => Promise<Result>,
  ): Promise<Result> {
    const asked = { ...who, action: `schedule.${action}`, subject: `schedule:${id}` }
    return await audited({ sql, audit }, asked, work)
  }
}

/** @throws InputError 422 */
function timesOf({ time_zone = 'UTC', ...given }: z.output<typeof timesInput>): string[] {
  const created_at = Date.now()
  const timing = timingFrom({ ...given, time_zone }, created_at)
  return upcoming({ ...timing, created_at, enabled: true })
}

function shownOnce(own: OwnWebhook | null) {
  return own === null ? {} : { webhook: { id: own.id, secret: own.made } }
}

function gone(): SluiceError {
  return new SluiceError(404, 'not-found', 'There is no such schedule')
}
