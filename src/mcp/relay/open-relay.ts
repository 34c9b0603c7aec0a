import { notificationFrame, readFrame, responseFrame } from '../wire/frame.ts'
import type { Id, Message, NotificationMessage } from '../wire/message.ts'
import { memberOf } from '../wire/raw-json.ts'
import { type Delivery, deliver } from './deliver.ts'
import { type Flight, takeOff } from './flight.ts'
import { headersOf, openGateway } from './gateway.ts'
import { hear } from './hearing.ts'
import type { Output } from './output.ts'
import { openSession, toldLists } from './session.ts'
import type { RelaySettings } from './settings.ts'
import { subscribe } from './subscribe.ts'
import { openToolBook } from './tool-book.ts'

/** Between a client that speaks MCP over stdio and the gateway, which speaks it over HTTP. */
export type Relay = {
  /** A line of the client. */
  take(line: string): void
  /** Lets calls under way end, for `graceMs` at most, and leaves. */
  close(graceMs: number): Promise<void>
}

export function openRelay(
  settings: RelaySettings,
  { output, warn }: { output: Output; warn: (text: string) => void },
): Relay {
  const gateway = openGateway(settings)
  const flights = new Map<Id, Flight>()
  const work = new Set<Promise<void>>()
  const closing = new AbortController()
  let lists: string[] = []
  let hearing: AbortController | null = null
  /** What must arrive before anything else: `initialize`, and then that the client is ready. */
  let gate: Promise<void> = Promise.resolve()
  const session = openSession({ gateway, onRenewed: tellLists })
  const delivery: Delivery = {
    ...{
      gateway,
      session,
      tools: openToolBook(),
      patienceMs: settings.patienceMs,
      pass: output.write,
      onAnswer,
    },
  }

  return {
    take(line) {
      if (line.trim() === '') return
      const message = readFrame(line)
      if (message === null) return output.write(unreadable(line))
      if (message.kind === 'request') hold(fly(takeOff(message, line)))
      else if (message.kind === 'notification') hold(notify(message, line))
      else hold(after(() => send(message, line)))
    },
    async close(graceMs) {
      hearing?.abort()
      for (const { request, ending } of flights.values()) if (request.method === listens) ending.abort()
      const answered = Promise.all(work)
      await Promise.race([answered, Bun.sleep(flights.size === 0 ? 0 : graceMs)])
      closing.abort()
      for (const { ending } of flights.values()) ending.abort()
      await output.drained()
      const headers = session.headers()
      if (headers['mcp-session-id'] === undefined) return
      await gateway.leave(headers, AbortSignal.timeout(500)).catch(() => {})
    },
  }

  function hold(task: Promise<void>): void {
    work.add(task)
    void task.finally(() => work.delete(task))
  }

  async function after(task: () => Promise<void>): Promise<void> {
    await gate
    await task()
  }

  async function fly(flight: Flight): Promise<void> {
    const { id, method } = flight.request
    if (flights.has(id)) return output.write(responseFrame(id, { error: usedTwice }))
    flights.set(id, flight)
    const way = method === listens ? subscribe : deliver
    const passed = method === 'initialize' ? way(flight, delivery) : after(() => way(flight, delivery))
    if (method === 'initialize') gate = passed
    try {
      await passed
    } finally {
      flights.delete(id)
    }
  }

  function onAnswer({ request }: Flight, frame: string, response: Response): void {
    const message = readFrame(frame)
    if (message?.kind !== 'response' || 'error' in message.answer) return
    const { result } = message.answer
    if (request.method === 'initialize') {
      session.begin(request, result, response.headers.get('mcp-session-id'))
      lists = toldLists(result)
    } else if (request.method === 'tools/list') delivery.tools.learn(result)
    else session.note(request.method, request.params)
  }

  async function notify(message: NotificationMessage, line: string): Promise<void> {
    if (message.method === 'notifications/cancelled') {
      const flight = flights.get(JSON.parse(memberOf(message.params, 'requestId') ?? 'null'))
      flight?.ending.abort()
      // The end of its stream tells the gateway of a modern one.
      if (flight?.modern === true) return
    }
    const sent = after(() => send(message, line))
    if (message.method === 'notifications/initialized') gate = sent.then(listen)
    await sent
  }

  /** Nobody waits for an answer to it; so it goes again while the gateway is away, as a request does. */
  async function send(message: Message, line: string): Promise<void> {
    const until = performance.now() + settings.patienceMs
    for (let waitMs = 100; !closing.signal.aborted; waitMs = Math.min(waitMs * 2, 2_000)) {
      const headers = session.headers()
      try {
        const response = await gateway.post(line, {
          headers: { ...headers, ...headersOf(message) },
          signal: closing.signal,
        })
        const text = await response.text()
        if (response.ok) return
        if (response.status === 404 && session.began()) await session.renew(headers, closing.signal)
        else if (response.status !== 503)
          return warn(`the gateway refused a message: HTTP ${response.status} ${text.slice(0, 200)}`)
      } catch {
        if (performance.now() > until)
          return warn('a message could not be delivered: the gateway cannot be reached')
      }
      if (performance.now() > until) return
      await Bun.sleep(waitMs)
    }
  }

  function listen(): void {
    hearing?.abort()
    hearing = new AbortController()
    if (session.headers()['mcp-session-id'] === undefined || closing.signal.aborted) return
    void hear({ gateway, session, pass: output.write }, hearing.signal)
  }

  function tellLists(): void {
    for (const kind of lists) output.write(notificationFrame(`notifications/${kind}/list_changed`, '{}'))
  }
}

const listens = 'subscriptions/listen'
const usedTwice = { code: -32_600, message: 'Invalid Request: a request of this id is under way' }

function unreadable(line: string): string {
  try {
    JSON.parse(line)
  } catch {
    return responseFrame(null, {
      error: { code: -32_700, message: 'Parse error: the line is not valid JSON' },
    })
  }
  const message = 'Invalid Request: the line is not one JSON-RPC 2.0 message'
  return responseFrame(null, { error: { code: -32_600, message } })
}
