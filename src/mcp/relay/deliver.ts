import { errorText } from '#lib/errors'
import { waitAfter } from '../upstream/backoff.ts'
import { readFrame, responseFrame } from '../wire/frame.ts'
import { memberOf, stringOf } from '../wire/raw-json.ts'
import { type Flight, isRepeatable } from './flight.ts'
import { type Gateway, headersOf, wasSent } from './gateway.ts'
import { readStream } from './read-stream.ts'
import type { RelaySession } from './session.ts'
import type { ToolBook } from './tool-book.ts'

export type Delivery = {
  gateway: Gateway
  session: RelaySession
  tools: ToolBook
  patienceMs: number
  /** Gives a frame of the gateway to the client. */
  pass(frame: string): void
  /** Called with the response that the request was answered with, before it is passed. */
  onAnswer(flight: Flight, frame: string, response: Response): void
}

/** How one try ended. */
type Try =
  | { kind: 'answered' }
  /** It did not get there: it may go again. */
  | { kind: 'undelivered'; why: string; waitMs?: number }
  /** It got there, and what became of it is not known. */
  | { kind: 'lost'; why: string }
  | { kind: 'session-lost'; headers: Record<string, string> }
  | { kind: 'refused'; why: string }

const waits = { baseMs: 100, mostMs: 5_000 }
/** More says that gateways do not take each other's sessions, and that nobody will ever answer. */
const mostRenewals = 3

/**
 * Sends a request until it is answered: again where it did not get there, on from its last event where its stream
 * broke off, in a new session where the old one is gone. What cannot be answered in time, or might be done twice,
 * is answered with an error. Never rejects, never hangs.
 */
export async function deliver(flight: Flight, delivery: Delivery): Promise<void> {
  const { request, ending } = flight
  let renewals = 0
  for (let failures = 0; !ending.signal.aborted; ) {
    const tried = await attempt(flight, delivery)
    if (tried.kind === 'answered' || ending.signal.aborted) return
    if (tried.kind === 'refused') return fail(flight, delivery, tried.why)
    if (tried.kind === 'lost' && flight.lastId === null && !isRepeatable(request, delivery.tools.safe))
      return fail(flight, delivery, `${tried.why}: whether the call had an effect is not known`)
    if (tried.kind === 'session-lost') {
      renewals += 1
      if (renewals > mostRenewals)
        return fail(flight, delivery, 'every session is lost as soon as it has begun')
      if (await renewed(tried.headers, delivery, ending.signal)) continue
    }
    const why = tried.kind === 'session-lost' ? 'the session cannot be begun again' : tried.why
    if (performance.now() - flight.heardAt > delivery.patienceMs) return fail(flight, delivery, why)
    const waitMs = (tried.kind === 'undelivered' ? tried.waitMs : undefined) ?? waitAfter(failures, waits)
    failures += 1
    await pause(waitMs, ending.signal)
  }
}

async function attempt(flight: Flight, delivery: Delivery): Promise<Try> {
  const { gateway, session, tools } = delivery
  const { signal } = flight.ending
  const own = flight.modern
    ? versionOf(flight)
    : flight.request.method === 'initialize'
      ? {}
      : session.headers()
  const resumes = flight.lastId !== null
  try {
    const response = resumes
      ? await gateway.listen({ ...own, 'last-event-id': flight.lastId ?? '' }, signal)
      : await gateway.post(flight.frame, {
          ...{ signal, once: !isRepeatable(flight.request, tools.safe) },
          headers: { ...own, ...headersOf(flight.request), ...tools.headers(flight.request) },
        })
    flight.heardAt = performance.now()
    if (response.status === 404 && !flight.modern && own['mcp-session-id'] !== undefined) {
      flight.lastId = null
      await response.body?.cancel()
      // Its stream is gone with its session: nothing tells what became of it.
      if (resumes && !isRepeatable(flight.request, tools.safe))
        return { kind: 'lost', why: 'the session ended in the course of the call' }
      return { kind: 'session-lost', headers: own }
    }
    if (resumes && response.status >= 400 && response.status < 500) {
      flight.lastId = null
      return { kind: 'lost', why: `its stream cannot be taken up again: ${saidIn(await response.text())}` }
    }
    return await take(flight, delivery, response)
  } catch (error) {
    const why = `the gateway cannot be reached (${errorText(error, 200)})`
    return resumes || wasSent(error) ? { kind: 'lost', why } : { kind: 'undelivered', why }
  }
}

async function take(flight: Flight, delivery: Delivery, response: Response): Promise<Try> {
  const { pass, onAnswer } = delivery
  if (response.ok && (response.headers.get('content-type') ?? '').startsWith('text/event-stream')) {
    const end = await readStream(response, {
      onEvent(data) {
        flight.heardAt = performance.now()
        const frame = readFrame(data)
        const answers = frame?.kind === 'response' && frame.id === flight.request.id
        if (answers) onAnswer(flight, data, response)
        if (!flight.ending.signal.aborted) pass(data)
        return !answers
      },
      onId(id) {
        flight.lastId = id
      },
    })
    return end === 'enough' ? { kind: 'answered' } : { kind: 'lost', why: 'the connection broke off' }
  }
  const text = await response.text()
  const { status } = response
  if ([502, 503, 504].includes(status) || (status === 429 && response.headers.has('retry-after'))) {
    const waitMs = secondsOf(response.headers.get('retry-after'))
    const why = `HTTP ${status}: ${saidIn(text)}`
    if (status === 502 || status === 504) return { kind: 'lost', why }
    return { kind: 'undelivered', why, ...(waitMs === undefined ? {} : { waitMs }) }
  }
  const frame = readFrame(text)
  if (frame?.kind !== 'response') return { kind: 'refused', why: `HTTP ${status}: ${saidIn(text)}` }
  const own = frame.id === null ? responseFrame(flight.request.id, frame.answer) : text
  onAnswer(flight, own, response)
  if (!flight.ending.signal.aborted) pass(own)
  return { kind: 'answered' }
}

async function renewed(
  lost: Record<string, string>,
  { session }: Delivery,
  signal: AbortSignal,
): Promise<boolean> {
  if (!session.began()) return false
  return await session.renew(lost, signal).then(
    () => true,
    () => false,
  )
}

const unanswered = -32_000

function fail({ request, ending }: Flight, { pass }: Delivery, why: string): void {
  const message = `${request.method}: ${why}`
  if (!ending.signal.aborted) pass(responseFrame(request.id, { error: { code: unanswered, message } }))
}

function versionOf({ request: { params } }: Flight): Record<string, string> {
  const version = stringOf(memberOf(params, '_meta') ?? '{}', 'io.modelcontextprotocol/protocolVersion')
  return version === null ? {} : { 'mcp-protocol-version': version }
}

/** The message of an error in JSON-RPC or problem JSON, else the beginning of the text. */
function saidIn(text: string): string {
  if (text.trimStart().startsWith('{')) {
    const said = stringOf(memberOf(text, 'error') ?? text, 'message') ?? stringOf(text, 'detail')
    if (said !== null) return said
  }
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 200)
}

function secondsOf(header: string | null): number | undefined {
  const seconds = Number(header ?? Number.NaN)
  return seconds >= 0 ? Math.min(seconds, 30) * 1_000 : undefined
}

export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  signal.addEventListener('abort', () => resolve(), { once: true })
  await promise
  clearTimeout(timer)
}
