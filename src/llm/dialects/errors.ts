/** An error of the gateway, as it has to look on a dialect's route, so that its SDKs understand it. */
export type DialectError = { status: number; code: string; message: string }

/** https://platform.claude.com/docs/en/api/errors */
export function anthropicError({ status, message }: DialectError): unknown {
  const types: Record<number, string> = {
    400: 'invalid_request_error',
    401: 'authentication_error',
    402: 'billing_error',
    403: 'permission_error',
    404: 'not_found_error',
    413: 'request_too_large',
    429: 'rate_limit_error',
    504: 'timeout_error',
    529: 'overloaded_error',
  }
  const type = types[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')
  return { type: 'error', error: { type, message } }
}

/** https://platform.openai.com/docs/guides/error-codes: `code` is a free word, so ours passes. */
export function openaiError({ status, code, message }: DialectError): unknown {
  const types: Record<number, string> = {
    401: 'authentication_error',
    403: 'permission_error',
    429: 'rate_limit_error',
  }
  const type = types[status] ?? (status < 500 ? 'invalid_request_error' : 'server_error')
  return { error: { message, type, param: null, code: code.replaceAll('-', '_') } }
}

/** https://google.aip.dev/193, over HTTP: the canonical status beside its number. */
export function geminiError({ status, code, message }: DialectError): unknown {
  const words: Record<number, string> = {
    400: 'INVALID_ARGUMENT',
    401: 'UNAUTHENTICATED',
    403: 'PERMISSION_DENIED',
    404: 'NOT_FOUND',
    405: 'UNIMPLEMENTED',
    409: 'ABORTED',
    413: 'INVALID_ARGUMENT',
    429: 'RESOURCE_EXHAUSTED',
    499: 'CANCELLED',
    503: 'UNAVAILABLE',
    504: 'DEADLINE_EXCEEDED',
  }
  const word = words[status] ?? (status < 500 ? 'FAILED_PRECONDITION' : 'INTERNAL')
  const reason = code.toUpperCase().replaceAll('-', '_')
  const info = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'sluice' }
  return { error: { code: status, message, status: word, details: [info] } }
}
