import { type AnyElysia, NotFoundError, ParseError, ValidationError } from 'elysia'
import { errorText, InputError, SluiceError } from '#lib/errors'
import type { Logger } from '#lib/log'
import { problem } from '#lib/problem'

/**
 * The one place where an error of our own routes becomes a response: problem JSON. (A proxied route answers in its
 * dialect's shape and lets nothing through to here, but for what breaks before it is reached.)
 */
export function failure(app: AnyElysia, log: Logger): (error: unknown, request: Request) => Response {
  const methodsOf = methodTable(app)
  return (error, request) => {
    if (error instanceof NotFoundError) return unmatched(request, methodsOf)
    const known = recognised(error)
    if (!(known instanceof SluiceError)) {
      log.error(
        { method: request.method, path: pathOf(request), reason: errorText(error), stack: stackOf(error) },
        'failed',
      )
    }
    return problem(known)
  }
}

function recognised(error: unknown): unknown {
  if (error instanceof SluiceError) return error
  if (error instanceof ParseError) {
    return new InputError(400, 'bad-json', [{ pointer: '', detail: 'must be JSON in UTF-8' }])
  }
  if (error instanceof ValidationError) {
    const places = error.all.map((one) => ({
      pointer: 'path' in one ? String(one.path ?? '') : '',
      detail: one.summary ?? 'not valid',
    }))
    return new InputError(422, 'bad-body', places)
  }
  if (isDatabaseLoss(error)) {
    return new SluiceError(503, 'database-down', 'The database does not answer just now: try again', {
      cause: error,
      headers: { 'retry-after': '1' },
    })
  }
  if (isTooSlow(error)) {
    return new SluiceError(503, 'too-slow', 'This took the database longer than it may: ask for less', {
      cause: error,
    })
  }
  return error
}

/** Postgres's word for a statement that its own time limit ended. */
function isTooSlow(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '57014'
}

/** Codes of sockets, of postgres.js, and of Postgres for a shutdown or too many connections. */
function isDatabaseLoss(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^(ECONNREFUSED|ECONNRESET|ENOTFOUND|ETIMEDOUT|EPIPE|CONNECT_TIMEOUT|CONNECTION_\w+|57P0\d|53300|08\w{3})$/.test(
    code,
  )
}

function unmatched(request: Request, methodsOf: (path: string) => string[]): Response {
  const path = pathOf(request)
  const methods = methodsOf(path)
  const shown = path.slice(0, 200)
  if (methods.length === 0) {
    return problem(new SluiceError(404, 'unknown-path', `There is nothing at ${shown}: see /docs`))
  }
  const allow = methods.join(', ')
  if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers: { allow } })
  const message = `${request.method.slice(0, 20)} ${shown}: this takes ${allow}`
  return problem(new SluiceError(405, 'wrong-method', message, { headers: { allow } }))
}

/** Which methods a path takes; looked up only where a request matched no route. */
function methodTable(app: AnyElysia): (path: string) => string[] {
  let table: { pattern: RegExp; method: string }[] | undefined
  return (path) => {
    table ??= app.routes.map((route) => ({ pattern: patternOf(route.path), method: route.method }))
    const methods = new Set<string>()
    for (const { pattern, method } of table)
      if (pattern.test(path)) methods.add(method === 'WS' ? 'GET' : method)
    if (methods.has('GET')) methods.add('HEAD')
    return [...methods].sort()
  }
}

function patternOf(path: string): RegExp {
  const parts = path.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+'
    return part === '*' ? '.*' : RegExp.escape(part)
  })
  return new RegExp(`^${parts.join('/')}/?$`)
}

function pathOf(request: Request): string {
  return URL.parse(request.url)?.pathname ?? '/'
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack?.slice(0, 2_000) : undefined
}
