import { Elysia } from 'elysia'
import { z } from 'zod'
import { SluiceError } from '#lib/errors'
import { readJson } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import { type Board, tag } from '../board-deps.ts'
import { houseOperator } from '../house.ts'
import { changeKind } from './kind-settings.ts'
import { noQueue } from './queue-routes.ts'

const kind = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
  .optional()
  .meta({ description: 'Of the queue jobs: this kind alone' })

export const heldInput = z.strictObject({ kind })
export const drainInput = z.strictObject({ delayed: z.boolean().default(false) })
export const limitsInput = z.strictObject({
  kind,
  concurrency: z.int().min(1).max(100_000).nullable().optional().meta({ description: 'Over all workers' }),
  rate: z
    .strictObject({ max: z.int().min(1).max(1_000_000), per_ms: z.int().min(100).max(86_400_000) })
    .nullable()
    .optional(),
})

/** What an operator of the house does to a whole queue. All of it is on record. */
export function actRoutes(board: Board) {
  const { authorise, audit, broker, live, contracts, rowsQueue } = board
  return new Elysia()
    .post(
      '/api/queues/:queue/pause',
      async ({ request, params: { queue } }) => held(request, queue, true),
      routeDoc({
        summary: 'Take no new job, in any worker',
        scope: 'operator',
        tag,
        body: heldInput,
        status: 204,
      }),
    )
    .post(
      '/api/queues/:queue/resume',
      async ({ request, params: { queue } }) => held(request, queue, false),
      routeDoc({ summary: 'Go on', scope: 'operator', tag, body: heldInput, status: 204 }),
    )
    .post(
      '/api/queues/:queue/drain',
      async ({ request, params: { queue } }) => drain(request, queue),
      routeDoc({
        summary: 'Remove what waits in a queue of the system',
        ...{ scope: 'operator', tag, body: drainInput, answer: z.object({ removed: z.int() }) },
      }),
    )
    .put(
      '/api/queues/:queue/limits',
      async ({ request, params: { queue } }) => limit(request, queue),
      routeDoc({
        summary: 'Limit how many jobs run at once, or begin in a time; null: no limit',
        ...{ scope: 'operator', tag, body: limitsInput, status: 204 },
      }),
    )

  async function held(request: Request, name: string, paused: boolean): Promise<Response> {
    const principal = houseOperator(authorise, request)
    const contract = contractOf(name)
    const { kind: of } = await readJson(request, heldInput)
    const subject = subjectOf(name, of)
    const asked = { request, principal, action: paused ? 'queue.pause' : 'queue.resume', subject }
    if (name === rowsQueue) await audit.change(asked, (tx) => changeKind(tx, of ?? '*', { paused }))
    else {
      const inspector = broker.inspect(contract)
      await audit.run(asked, () => (paused ? inspector.pause() : inspector.resume()))
    }
    return await done()
  }

  async function drain(request: Request, name: string): Promise<Response> {
    const principal = houseOperator(authorise, request)
    const contract = contractOf(name)
    const input = await readJson(request, drainInput)
    if (name === rowsQueue) {
      throw new SluiceError(409, 'rows', 'These jobs are rows: cancel them by a filter, with /api/jobs/bulk')
    }
    const asked = { request, principal, action: 'queue.drain', subject: `queue:${name}`, detail: input }
    const removed = await audit.run(asked, () => broker.inspect(contract).drain(input))
    await live.refresh()
    return Response.json({ removed })
  }

  async function limit(request: Request, name: string): Promise<Response> {
    const principal = houseOperator(authorise, request)
    const contract = contractOf(name)
    const { kind: of, concurrency, rate } = await readJson(request, limitsInput)
    const detail = { concurrency, rate }
    const subject = subjectOf(name, of)
    const asked = { request, principal, action: 'queue.limits', subject, detail }
    if (name === rowsQueue) {
      const per_minute = rate == null ? rate : Math.max(1, Math.round((rate.max * 60_000) / rate.per_ms))
      await audit.change(asked, (tx) => changeKind(tx, of ?? '*', { concurrency, per_minute }))
    } else {
      const inspector = broker.inspect(contract)
      await audit.run(asked, async () => {
        if (concurrency !== undefined) await inspector.limitConcurrency(concurrency)
        if (rate !== undefined) await inspector.limitRate(rate)
      })
    }
    return await done()
  }

  function contractOf(name: string) {
    const contract = contracts.find((one) => one.name === name)
    if (contract === undefined) throw noQueue(name)
    return contract
  }

  function subjectOf(name: string, of: string | undefined): string {
    if (of === undefined) return `queue:${name}`
    if (name === rowsQueue) return `queue:${name}/${of}`
    throw new SluiceError(409, 'no-kinds', `The queue ${name} has no kinds`)
  }

  async function done(): Promise<Response> {
    await live.refresh()
    return new Response(null, { status: 204 })
  }
}
