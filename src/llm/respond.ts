import { dropSetSession } from '#access'
import { dropHopByHop } from '#lib/hop-by-hop'
import { recordable } from './headers.ts'
import { lengthOf, wholeBytes } from './request-body.ts'
import { type Body, oneChunk, type Passage, passingBody, wholeBody } from './response-body.ts'

/**
 * The upstream's answer as it goes to the client: status, headers and body as they came, the exchange's id, and marks
 * of ours.
 * Sealed before the client can see its end. `body` is the rest of one that was begun.
 */
export function respond(
  answer: Response,
  {
    method,
    marks = {},
    body = answer.body,
    ...passage
  }: Passage & { method: string; marks?: Readonly<Record<string, string>>; body?: Body | null },
): Response | Promise<Response> {
  const { call, attempt } = passage
  const { status, statusText } = answer
  const headers = new Headers(answer.headers)
  dropHopByHop(headers)
  call.answered(status, recordable(headers))
  dropSetSession(headers)
  headers.set('sluice-exchange', call.id)
  if (call.cache !== null) headers.set('sluice-cache', call.cache)
  for (const name in marks) headers.set(name, marks[name] ?? '')
  attempt.touch('answered')
  const length = lengthOf(headers)
  const init = { status, statusText, headers }
  if (body === null || method === 'HEAD' || length === 0) return withoutBody(init, passage, method)
  if (length === null || length > wholeBytes) return new Response(passingBody(body, passage), init)
  return wholeBody(body, length, { ...passage, init })
}

async function withoutBody(
  init: { headers: Headers } & ResponseInit,
  { call, attempt }: Passage,
  method: string,
): Promise<Response> {
  attempt.end()
  await call.end('completed')
  // An answer to HEAD that names no length would be chunked as an answer to GET, and so a stream says.
  const chunked = method === 'HEAD' && !init.headers.has('content-length')
  return new Response(chunked ? oneChunk(new Uint8Array()) : null, init)
}
