import type { Sql } from 'postgres'
import { openAnnouncer } from '../events/announce.ts'
import type { Registry } from '../registry.ts'
import type { FromApart, ToApart } from './apart.ts'
import { attempt } from './attempt.ts'
import { openCalls } from './calls.ts'
import { CancelledError, TimeoutError } from './reasons.ts'

export type ServeApartOptions = { sql: Sql; registry: Registry; gatewayUrl: string }

/**
 * The other end of `openApart`: runs the one job that the worker sends, and resolves when the worker has its outcome.
 * Where the worker dies before, so does this process: another worker begins anew.
 */
export async function serveApart({ sql, registry, gatewayUrl }: ServeApartOptions): Promise<void> {
  const announcer = openAnnouncer(sql)
  const calls = openCalls(sql, gatewayUrl)
  const abort = new AbortController()
  const taken = Promise.withResolvers<void>()
  let answered = false
  // What is told to the whole group is for the worker to heed, which then ends this process.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
  process.on('disconnect', () => {
    if (!answered) process.exit(1)
    taken.resolve()
  })
  process.on('message', (message: ToApart) => {
    if ('abort' in message) return abort.abort(reasonOf(message.abort))
    void attempt(message.job, abort.signal, { sql, registry, calls, announcer }).then((end) => {
      answered = true
      say({ end })
    })
  })
  say({ ready: true })
  await taken.promise
  await announcer.close()
  await calls.close()
}

function say(message: FromApart): void {
  process.send?.(message)
}

function reasonOf({ name, message }: { name: string; message: string }): Error {
  return name === 'TimeoutError' ? new TimeoutError(message) : new CancelledError(message)
}
