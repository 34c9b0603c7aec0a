import type { Attempt } from '#lib/upstream'
import type { Call } from './call.ts'
import { clientLeft } from './refusal.ts'
import type { UpgradeServer } from './websocket.ts'

/** The part of `Bun.serve`'s server that a request needs; null where a request came from nowhere. */
export type RequestServer = (UpgradeServer & { timeout(request: Request, seconds: number): void }) | null

/**
 * The server's limit on silence is for clients that do not send. Once they have, it is the model's turn, and the
 * limit is lifted until the end of the answer: Bun would keep it lifted for whatever comes next on the connection.
 */
export function beSilent(
  request: Request,
  { server, attempt, seconds }: { server: RequestServer; attempt: Attempt; seconds: number },
): () => void {
  attempt.onEnd = () => server?.timeout(request, seconds)
  return () => {
    if (attempt.isUnderWay) server?.timeout(request, 0)
  }
}

/** A client that hangs up takes its upstream with it, unless the answer is wanted all the same. */
export function followClient(request: Request, { call, attempt }: { call: Call; attempt: Attempt }): void {
  request.signal.addEventListener('abort', () => {
    call.clientGone = true
    if (!call.outlivesClient) attempt.cut(clientLeft())
  })
}
