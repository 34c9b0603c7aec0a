import type { Change, Client, Portal } from '../portal/portal.ts'
import type { Hop } from '../record/recorder.ts'
import type { Session } from '../session/session.ts'
import { notificationFrame } from '../wire/frame.ts'
import { hasPriming } from '../wire/versions.ts'
import type { Heartbeat } from './heartbeat.ts'
import { type Visitor, whileWelcome } from './identify.ts'
import { openSse, type SseLimits, sseEvent } from './sse-stream.ts'
import { changeNotification } from './subscriptions.ts'

export type ListeningOptions = {
  portal: Portal
  session: Session
  client: () => Client
  hop: Hop
  heartbeat: Heartbeat
  limits: SseLimits
  /** Aborted where the client hangs up, be it before the stream was ever read. */
  gone: AbortSignal
  /** Throws where the client may be here no more. */
  visit(): Visitor
  onOver(): void
}

/**
 * The GET stream of a legacy session: what changed, unasked. The newest takes over from the one before. A session
 * that listened before, here or on a gateway that is gone, is told once that the lists may have changed: cheap, and
 * always right.
 */
export function openListening(options: ListeningOptions): Response {
  const { portal, session, client, hop, heartbeat, limits, gone, visit } = options
  let count = 0
  let told: string | null = null
  const stream = openSse({ ...limits, heartbeat, onGone: over })
  let stop = listen()
  const leave = whileWelcome(visit, heartbeat, () => listening.close())
  const listening = {
    close() {
      stream.end()
      over()
    },
    refresh() {
      stop()
      stop = listen()
    },
  }
  session.listening?.close()
  session.listening = listening
  if (hasPriming(session.claims.version)) write(`id: ${hop.id}_g0\ndata:\n\n`)
  if (session.heard) catchUp()
  session.heard = true
  if (gone.aborted) stream.cut()
  gone.addEventListener('abort', stream.cut, { once: true })
  return stream.response

  function listen(): () => void {
    const interest = { tools: true, prompts: true, resources: true, resourceUris: [...session.uris] }
    return portal.listen(client(), interest, tell)
  }

  function tell(change: Change): void {
    const { method, params } = changeNotification(change)
    count += 1
    write(sseEvent(notificationFrame(method, params), `${hop.id}_g${count}`))
  }

  function catchUp(): void {
    for (const kind of ['tools', 'prompts', 'resources'] as const) tell({ kind })
    for (const uri of session.uris) tell({ kind: 'resource', params: JSON.stringify({ uri }) })
  }

  function write(text: string): void {
    hop.response(text)
    stream.send(text)
  }

  function over(): void {
    if (told !== null) return
    told = 'over'
    stop()
    leave()
    options.onOver()
    if (session.listening === listening) session.listening = null
    session.usedAt = Date.now()
    void Promise.resolve(hop.end({ outcome: 'completed', status: 200, error: null })).catch(() => {})
  }
}
