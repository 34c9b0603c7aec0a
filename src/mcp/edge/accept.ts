import { invalidRequest } from './refusal.ts'

/** What a client takes as an answer. */
export type Accepts = { json: boolean; stream: boolean }

/**
 * Clients must name both; one that says nothing, or anything, is taken to mean both.
 * @throws Refusal 406 where it takes neither
 */
export function readAccept(headers: Headers): Accepts {
  const accept = headers.get('accept')?.toLowerCase() ?? '*/*'
  const any = accept.includes('*/*')
  const json = any || accept.includes('application/json') || accept.includes('application/*')
  const stream = any || accept.includes('text/event-stream')
  if (json || stream) return { json, stream }
  throw invalidRequest(
    406,
    'not-acceptable',
    'Accept must have application/json and text/event-stream: this answers with one of them',
  )
}
