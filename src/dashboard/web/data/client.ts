/** What the server answered where it did not do what was asked: problem JSON's words. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly code: string
  /** What is wrong where in the body, as JSON pointers. */
  readonly errors: readonly FieldError[]

  constructor(status: number, code: string, message: string, errors: readonly FieldError[] = []) {
    super(message)
    this.status = status
    this.code = code
    this.errors = errors
  }
}

export type FieldError = { pointer: string; detail: string }

/** Reading takes no longer, in ms: whoever looks is told, rather than left with an empty page. */
const readMs = 10_000

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** `json`: a body that is written already. @throws ApiError */
export async function call<Answer>(
  method: Method,
  path: string,
  options: { body?: unknown; json?: string; signal?: AbortSignal } = {},
): Promise<Answer> {
  const { body, signal, json: text = body === undefined ? undefined : JSON.stringify(body) } = options
  const signals = [...(signal ? [signal] : []), ...(method === 'GET' ? [AbortSignal.timeout(readMs)] : [])]
  const response = await fetch(path, {
    method,
    // What tells a page of ours from one of somebody else's.
    headers: { 'sluice-csrf': '1', ...(text === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(text === undefined ? {} : { body: text }),
    signal: AbortSignal.any(signals),
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error
    throw new ApiError(0, 'no-answer', 'The gateway does not answer')
  })
  const said = await response.text().catch((error: unknown) => {
    if (signal?.aborted) throw error
    throw new ApiError(0, 'no-answer', 'The gateway broke off its answer')
  })
  const json = /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(said) : undefined
  if (response.ok) return json as Answer
  const code = String(json?.type ?? '').replace('urn:sluice:problem:', '')
  const detail = json?.detail ?? `The gateway answered ${response.status}`
  throw new ApiError(response.status, code, detail, Array.isArray(json?.errors) ? json.errors : [])
}
