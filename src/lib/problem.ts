import { errorText, InputError, SluiceError } from './errors.ts'

/** An error as RFC 9457 problem JSON. What is not a `SluiceError` is a 500 whose text stays in the log. */
export function problem(error: unknown): Response {
  const body = problemBody(error)
  return Response.json(body, {
    status: body.status,
    headers: {
      ...(error instanceof SluiceError ? error.headers : {}),
      'content-type': 'application/problem+json',
    },
  })
}

/** The same as a value: for answers that hold several. */
export function problemBody(error: unknown) {
  const known = error instanceof SluiceError
  const status = known ? error.status : 500
  return {
    type: `urn:sluice:problem:${known ? error.code : 'internal'}`,
    title: known ? error.code.replaceAll('-', ' ') : 'internal error',
    status,
    detail: known ? errorText(error) : 'The gateway failed to answer; its log has the reason.',
    ...(error instanceof InputError ? { errors: error.errors, ...error.help } : {}),
  }
}
