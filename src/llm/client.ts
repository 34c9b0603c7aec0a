import type { UpgradeServer } from '#lib/server-socket'
import type { Attempt, Watcher } from '#lib/upstream'
import type { Call } from './call.ts'
import { clientLeft } from './refusal.ts'

/** The part of `Bun.serve`'s server that a request needs; null where a request came from nowhere. */
export type RequestServer = (UpgradeServer & { timeout(request: Request, seconds: number): void }) | null

export type ClientOptions = {
  request: Request
  server: RequestServer
  call: Call
  /** The listener's limit on a client's silence. */
  idleSeconds: number
}

/**
 * The client while its upstream is asked, looked at four times a second: a listener on each request's signal and
 * two changes of its limit cost a fifth of a small call. A stream's client is seen to leave at once, elsewhere.
 */
export class Client implements Watcher {
  /** Has its body arrived? Until then it is the client that must not be silent, afterwards the model may be. */
  hasSent: boolean
  readonly #options: ClientOptions
  #lifted = false

  constructor(options: ClientOptions, hasSent: boolean) {
    this.#options = options
    this.hasSent = hasSent
  }

  tick(attempt: Attempt, ageMs: number): void {
    const { request, server, call, idleSeconds } = this.#options
    if (!call.clientGone && request.signal.aborted) {
      call.clientGone = true
      if (!call.outlivesClient) attempt.cut(clientLeft())
    }
    if (!this.#lifted && this.hasSent && ageMs > idleSeconds * 250) {
      this.#lifted = true
      server?.timeout(request, 0)
    }
  }

  /** Bun would keep a lifted limit for whatever comes next on the connection. */
  end(): void {
    const { request, server, idleSeconds } = this.#options
    if (this.#lifted) server?.timeout(request, idleSeconds)
  }
}
