import type { Caller } from '#access'
import type { ExchangeOpen } from '#capture'
import { SluiceError } from '#lib/errors'
import { dropHopByHop } from '#lib/hop-by-hop'
import { idFloor, newId } from '#lib/ids'
import { ownCalls } from '../adapters/own-calls.ts'
import type { Call } from '../call.ts'
import type { RequestServer } from '../client.ts'
import type { ChatDialect } from '../codecs/model.ts'
import { isChat } from '../codecs/stops.ts'
import { decompress } from '../decompress.ts'
import { dialectNamed } from '../dialects/dialects.ts'
import { readableBytes } from '../dialects/json.ts'
import { recordable } from '../headers.ts'
import { splitModel } from '../orchestra/models.ts'
import type { PriceOf } from '../price.ts'
import type { LlmProxy } from '../proxy-options.ts'
import { clientLeft } from '../refusal.ts'
import { type Plan, planFor } from '../routing/plan.ts'
import type { Target } from '../target.ts'
import { type Climb, climb, type Step } from './climb.ts'
import { humanAnswer, waitForAnswer } from './human.ts'
import type { Ladders } from './ladders.ts'
import { type ClimbRow, insertTask, taskOfRequest } from './queries.ts'
import { type Reply, readAnswer } from './reply.ts'

export type ClimbCall = {
  request: Request
  target: Target
  server: RequestServer
  exchange: ExchangeOpen
  caller: Caller
  call: Call
  body: Uint8Array<ArrayBuffer>
  plan: Plan
  /** Headers for the answer. */
  marks: Readonly<Record<string, string>>
}

export type ClimbDeps = {
  proxy: Pick<LlmProxy, 'handle'>
  ladders: Ladders
  price: PriceOf
  random: () => number
  /** That the client may be silent, once it has its answer. */
  idleSeconds: number
}

const dayMs = 24 * 3_600_000
const answerMs = 600_000

/** Is it a call that a ladder is for: one that a model answers in words? Others go to its lowest rung. */
export function climbs({ dialect, path }: Target): boolean {
  return dialect !== null && isChat(dialect) && !/count_tokens|countTokens|input_tokens|\/batches/.test(path)
}

/**
 * A client's call, up the ladder of its route: each rung is a call of its own, in the client's dialect, on record and
 * paid for. What the client gets is the answer that was good enough, as its model gave it.
 * @throws SluiceError 503 where a rung cannot be asked, 424 where nobody's answer was good enough
 */
export async function climbCall(
  of: ClimbCall,
  { proxy, ladders, price, random, idleSeconds }: ClimbDeps,
): Promise<Response> {
  const { request, target, server, exchange, caller, call, body, plan } = of
  const spec = plan.spec.ladder
  if (spec === undefined) throw new Error('climbing: the route has no ladder')
  const dialect = target.dialect as ChatDialect
  const id = newId()
  const { signal } = request
  const conversation = request.headers.get('sluice-conversation') ?? `ladder-${id}`
  const tags = ['ladder', `ladder:${id}`]
  const steps: Step[] = []
  const row: ClimbRow = {
    ...{ id, tenant: exchange.tenant, exchange_id: exchange.id, route: plan.route, outcome: 'failed', steps },
    ...{ consensus: null, cost_micros: 0, unpriced: 0, task_id: null },
  }
  const plain = decompress(body, request.headers.get('content-encoding'), readableBytes)
  const read = dialectNamed(dialect)?.readRequest(plain ?? new Uint8Array(), target.path)
  const question = read?.history.findLast(({ role }) => role === 'user')?.text ?? ''
  call.journey = { plan, tried: [], served: null, model: read?.model ?? null, climb: id }
  server?.timeout(request, 0)
  try {
    const waiting = spec.human === undefined ? null : await taskBefore()
    if (waiting !== null) return await human(waiting, question, null)
    const asking = {
      adapters: ladders.adapters,
      send: ownCalls(proxy, { part: true })(caller.principal),
      timeoutMs: answerMs,
    }
    const trial = { question, signal, tags, conversation }
    const done = await climb(spec, { ask, trial, asking, random, steps })
    row.outcome = done.outcome
    if (done.consensus !== null) {
      const { groups, ...rest } = done.consensus
      row.consensus = { ...rest, groups: groups.map(({ models }) => models) }
    }
    if (done.reply !== null) return await served(done.reply)
    if (spec.human === undefined) throw exhausted(id)
    return await human(null, question, done)
  } finally {
    const costs = steps.flatMap((step) => [step.cost_micros ?? 0, step.judge_micros])
    row.cost_micros = costs.reduce((sum, cost) => sum + cost, 0)
    row.unpriced = steps.filter(({ status, cost_micros: cost }) => status < 400 && cost === null).length
    server?.timeout(request, idleSeconds)
    await ladders.save(exchange.mode === 'full' ? row : { ...row, steps: steps.map(withoutContent) })
  }

  async function ask(model: string): Promise<Reply> {
    const started = performance.now()
    const at = splitModel(model)
    const headers = new Headers(request.headers)
    // What is cached is the answer of the ladder.
    const notOnward = ['accept-encoding', 'sluice-dry-run', 'sluice-cache', 'transfer-encoding']
    for (const name of notOnward) headers.delete(name)
    const own = request.headers.get('sluice-tags')
    headers.set('sluice-tags', [...(own === null ? [] : [own]), ...tags].join(','))
    headers.set('sluice-conversation', conversation)
    headers.set('content-length', String(body.byteLength))
    const one = planFor(at.provider, at.model)
    const rungPlan: Plan = { ...one, route: plan.route, spec: { ...one.spec, guests: plan.spec.guests } }
    const sent = new Request(request.url, { method: request.method, headers, body, signal })
    const { replay: _, ...onward } = target
    const response = await proxy.handle(sent, { ...onward, caller, plan: rungPlan, part: true }, null)
    const packed = new Uint8Array(await response.arrayBuffer().catch(() => new ArrayBuffer(0)))
    const bytes = new Uint8Array(
      decompress(packed, response.headers.get('content-encoding'), readableBytes) ?? [],
    )
    if (signal.aborted) throw clientLeft()
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false
    const answer = response.ok ? readAnswer(dialect, bytes, isStream) : null
    const usage = answer?.usage ? { ...answer.usage, final: true } : null
    const priced = price({ ...at, usage, at: Date.now() })
    const reply: Reply = {
      ...{
        model,
        exchange: response.headers.get('sluice-exchange'),
        ms: Math.round(performance.now() - started),
      },
      ...{
        costMicros: priced?.micros ?? null,
        status: response.status,
        headers: response.headers,
        bytes,
        answer,
      },
    }
    const error = answer === null ? `HTTP ${response.status}` : null
    call.journey?.tried.push({ ...at, status: response.status, error, ms: reply.ms })
    return reply
  }

  async function served({ status, headers, bytes, model }: Reply): Promise<Response> {
    const onward = new Headers(headers)
    dropHopByHop(onward)
    for (const name of ['content-length', 'content-encoding', 'sluice-exchange']) onward.delete(name)
    return await answered(status, onward, { bytes, by: model })
  }

  /** The task of this very request, where a human was asked before. */
  async function taskBefore(): Promise<string | null> {
    const since = idFloor(Date.now() - dayMs)
    const before = await taskOfRequest(ladders.sql, { tenant: exchange.tenant, hash: hashOf(of), since })
    return before?.id ?? null
  }

  async function human(waiting: string | null, question: string, done: Climb | null): Promise<Response> {
    const { wait_seconds: seconds, instructions } = spec?.human ?? { wait_seconds: 0, instructions: '' }
    const task =
      waiting ??
      (await insertTask(
        ladders.sql,
        {
          ...{
            id: newId(),
            tenant: exchange.tenant,
            key_id: exchange.key_id,
            route: plan.route,
            climb_id: id,
          },
          ...{ exchange_id: exchange.id, request_hash: hashOf(of), instructions },
          question: clean(question),
          proposals: done?.voices.map(({ model, text }) => ({ model, text: clean(text) })) ?? [],
        },
        exchange.mode,
      ))
    row.task_id = task
    row.outcome = 'waiting'
    const text = await waitForAnswer(ladders.sql, task, { seconds, signal })
    if (signal.aborted) throw clientLeft()
    if (text === null) throw waitsFor(task)
    row.outcome = 'human'
    const { bytes, contentType } = humanAnswer(dialect, { id: task, text, stream: read?.stream ?? false })
    return await answered(200, new Headers({ 'content-type': contentType, 'sluice-task': task }), {
      bytes,
      by: 'human',
    })
  }

  async function answered(
    status: number,
    headers: Headers,
    { bytes, by }: { bytes: Uint8Array<ArrayBuffer>; by: string },
  ): Promise<Response> {
    if (plan.route !== null) headers.set('sluice-route', plan.route)
    headers.set('sluice-model', by)
    headers.set('sluice-ladder', id)
    headers.set('sluice-attempt', String(steps.length))
    call.answered(status, recordable(headers))
    for (const name in of.marks) headers.set(name, of.marks[name] ?? '')
    if (call.cache !== null) headers.set('sluice-cache', call.cache)
    call.response(bytes)
    await call.end('completed')
    headers.set('sluice-exchange', call.id)
    return new Response(bytes, { status, headers })
  }
}

/** Reasons of judges may quote what was said; those of the machinery do not. */
function withoutContent(step: Step): Step {
  return { ...step, reason: /^HTTP \d+$/.test(step.reason ?? '') ? step.reason : null }
}

/** Names a request: the same body on the same route and path. */
function hashOf({ body, plan, target }: ClimbCall): Uint8Array {
  return new Bun.CryptoHasher('sha256').update(`${plan.route} ${target.path}\n`).update(body).digest()
}

function clean(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed().slice(0, 1_000_000)
}

/** Not a status that SDKs try again by themselves. */
function waitsFor(task: string): SluiceError {
  return new SluiceError(
    424,
    'waits-for-human',
    `No rung of the ladder was good enough: a human is asked, see /api/tasks/${task}. The same request sent again waits for the answer and gets it`,
    { headers: { 'sluice-task': task } },
  )
}

function exhausted(id: string): SluiceError {
  return new SluiceError(
    424,
    'ladder-exhausted',
    `No rung of the ladder was good enough: see /api/climbs/${id}`,
  )
}
