import { errorText, InputError, SluiceError } from './errors.ts'

/** An error as RFC 9457 problem JSON. What is not a `SluiceError` is a 500 whose text stays in the log. */
export function problem(error: unknown): Response {
  const known = error instanceof SluiceError
  const status = known ? error.status : 500
  const body = {
    type: `urn:sluice:problem:${known ? error.code : 'internal'}`,
    title: known ? error.code.replaceAll('-', ' ') : 'internal error',
    status,
    detail: known ? errorText(error) : 'The gateway failed to answer; its log has the reason.',
    ...(error instanceof InputError ? { errors: error.errors } : {}),
  }
  return Response.json(body, {
    status,
    headers: { ...(known ? error.headers : {}), 'content-type': 'application/problem+json' },
  })
}
