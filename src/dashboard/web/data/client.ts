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

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** @throws ApiError */
export async function call<Answer>(
  method: Method,
  path: string,
  options: { body?: unknown; signal?: AbortSignal } = {},
): Promise<Answer> {
  const { body, signal } = options
  const response = await fetch(path, {
    method,
    // What tells a page of ours from one of somebody else's.
    headers: { 'sluice-csrf': '1', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error
    throw new ApiError(0, 'no-answer', 'The gateway does not answer')
  })
  const text = await response.text()
  const json = /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : undefined
  if (response.ok) return json as Answer
  const code = String(json?.type ?? '').replace('urn:sluice:problem:', '')
  throw new ApiError(response.status, code, json?.detail ?? `The gateway answered ${response.status}`)
}
