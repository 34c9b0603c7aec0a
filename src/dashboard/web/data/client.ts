/** What the server answered where it did not do what was asked: problem JSON's words. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** Reading takes no longer, in ms: whoever looks is told, rather than left with an empty page. */
const readMs = 10_000

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** @throws ApiError */
export async function call<Answer>(
  method: Method,
  path: string,
  options: { body?: unknown; signal?: AbortSignal } = {},
): Promise<Answer> {
  const { body, signal } = options
  const signals = [...(signal ? [signal] : []), ...(method === 'GET' ? [AbortSignal.timeout(readMs)] : [])]
  const response = await fetch(path, {
    method,
    // What tells a page of ours from one of somebody else's.
    headers: { 'sluice-csrf': '1', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.any(signals),
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error
    throw new ApiError(0, 'no-answer', 'The gateway does not answer')
  })
  const text = await response.text().catch((error: unknown) => {
    if (signal?.aborted) throw error
    throw new ApiError(0, 'no-answer', 'The gateway broke off its answer')
  })
  const json = /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : undefined
  if (response.ok) return json as Answer
  const code = String(json?.type ?? '').replace('urn:sluice:problem:', '')
  throw new ApiError(response.status, code, json?.detail ?? `The gateway answered ${response.status}`)
}
