import { Elysia } from 'elysia'
import type postgres from 'postgres'
import { z } from 'zod'
import { type Authorise, may, type Principal } from '#access'
import { SluiceError } from '#lib/errors'
import { isId } from '#lib/ids'
import { readQuery } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import type { Hub } from '../events/hub.ts'
import { eventHeaders, eventStream } from '../events/stream.ts'
import { schemaOf } from '../input-schema.ts'
import { ordinary } from '../kind.ts'
import type { Registry } from '../registry.ts'
import { findJob, type JobDetail, jobDetail } from './detail.ts'
import { bodyResponse, fileResponse } from './download.ts'
import { jobsPage, jobsQuery, listJobs } from './list.ts'

const tag = 'jobs'
const scope = 'read'

export type JobReadRoutesOptions = {
  /** Bounded: a slow list must not hold up what is being submitted. */
  read: <Result>(work: (sql: postgres.Sql) => Promise<Result>) => Promise<Result>
  hub: Hub
  registry: Registry
  authorise: Authorise
  /** Between signs of life on a stream of events. @default 10_000 */
  heartbeatMs?: number
}

const kindView = z.object({
  name: z.string(),
  summary: z.string(),
  input: z.record(z.string(), z.unknown()).meta({ description: 'JSON Schema' }),
  needs: z.array(z.string()).meta({ description: 'Scopes beside `call` to submit one' }),
  defaults: z.object({ attempts: z.int(), timeout: z.number() }),
})

export function jobReadRoutes(options: JobReadRoutesOptions) {
  const { read, hub, registry, authorise, heartbeatMs } = options
  return new Elysia()
    .get(
      '/api/jobs',
      async ({ request }) => Response.json(await list(request)),
      routeDoc({ summary: 'List jobs, newest first', scope, tag, query: jobsQuery, answer: jobsPage }),
    )
    .get(
      '/api/jobs/kinds',
      ({ request }) => {
        authorise(request, scope)
        return Response.json({ items: registry.kinds.map(view), next_cursor: null })
      },
      routeDoc({
        ...{ summary: 'List the kinds of jobs, with what they take', scope, tag },
        answer: z.object({ items: z.array(kindView), next_cursor: z.null() }),
      }),
    )
    .get(
      '/api/jobs/:id',
      async ({ request, params: { id } }) => await show(request, id),
      routeDoc({
        summary: 'Show a job, its attempts and what it caused; with ETag',
        ...{ scope, tag, answer: jobDetail },
      }),
    )
    .get(
      '/api/jobs/:id/input',
      async ({ request, params: { id } }) => await part(request, id, 'input'),
      routeDoc({ summary: 'The whole input', scope, tag, answer: 'application/json' }),
    )
    .get(
      '/api/jobs/:id/result',
      async ({ request, params: { id } }) => await part(request, id, 'result'),
      routeDoc({ summary: 'The whole result', scope, tag, answer: 'application/json' }),
    )
    .get(
      '/api/jobs/:id/file',
      async ({ request, params: { id } }) => {
        const tenant = reach(authorise(request, scope), undefined)
        return await fileResponse(read, { id: idOf(id), tenant })
      },
      routeDoc({ summary: 'The file that the job made', scope, tag, answer: 'application/x-ndjson' }),
    )
    .get(
      '/api/jobs/:id/events',
      async ({ request, server, params: { id } }) => {
        server?.timeout(request, 0)
        return await events(request, id)
      },
      routeDoc({
        summary: 'What happens to a job, as it happens (SSE)',
        description:
          'From its beginning, or after `Last-Event-ID`: `state`, `progress`, `log`, and last `end`. 204 where all was seen.',
        ...{ scope, tag, answer: 'text/event-stream' },
      }),
    )

  async function list(request: Request) {
    const principal = authorise(request, scope)
    const { limit, cursor, ...filters } = readQuery(request, jobsQuery)
    const tenant = reach(principal, filters.tenant)
    return await read((sql) => listJobs(sql, { ...filters, tenant }, { limit, cursor }))
  }

  async function show(request: Request, id: string): Promise<Response> {
    const tenant = reach(authorise(request, scope), undefined)
    const job = await read((sql) => findJob(sql, idOf(id), tenant))
    if (job === null) throw notFound()
    const etag = etagOf(job)
    if (
      request.headers
        .get('if-none-match')
        ?.split(',')
        .some((one) => one.trim() === etag)
    )
      return new Response(null, { status: 304, headers: { etag } })
    return Response.json(job, { headers: { etag, 'cache-control': 'no-cache' } })
  }

  async function part(request: Request, id: string, part: 'input' | 'result'): Promise<Response> {
    const tenant = reach(authorise(request, scope), undefined)
    return await read((sql) => bodyResponse(sql, { id: idOf(id), part, tenant }))
  }

  async function events(request: Request, id: string): Promise<Response> {
    const tenant = reach(authorise(request, scope), undefined)
    if (request.method === 'HEAD') return new Response(null, { headers: eventHeaders })
    return await eventStream({
      ...{ read, hub, id: idOf(id), tenant, lastEventId: request.headers.get('last-event-id') },
      check: () => void authorise(request, scope),
      ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
    })
  }
}

function view({ needs = [], defaults = {}, ...kind }: Registry['kinds'][number]): z.infer<typeof kindView> {
  const { attempts, timeoutMs } = { ...ordinary, ...defaults }
  return {
    ...{ name: kind.name, summary: kind.summary, input: schemaOf(kind), needs: [...needs] },
    defaults: { attempts, timeout: timeoutMs / 1_000 },
  }
}

/** Weak: exchanges and their cost come in after the job has changed, and what it hangs together with goes its own way. */
function etagOf({ version, state, exchanges, depends_on, dependants }: JobDetail): string {
  const others = [...depends_on, ...dependants].map((one) => `${one.id} ${one.state}`).join()
  const around = others === '' ? '' : `-${Bun.hash(others).toString(36)}`
  return `W/"${version}-${state}-${exchanges.count}-${exchanges.cost_micros}${around}"`
}

/** Whose jobs a principal may see; null: everybody's. @throws SluiceError 403 */
export function reach(principal: Principal, tenant: string | undefined): string | null {
  if (may(principal, 'admin')) return tenant ?? null
  if (tenant === undefined || tenant === principal.tenant) return principal.tenant
  throw new SluiceError(403, 'forbidden', `tenant ${tenant.slice(0, 64)}: this key belongs to another`)
}

/** @throws SluiceError 404 where it is no id: nothing can be found under it */
export function idOf(text: string): string {
  if (isId(text)) return text
  throw notFound()
}

function notFound(): SluiceError {
  return new SluiceError(404, 'not-found', 'There is no such job')
}
