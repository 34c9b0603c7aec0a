import type { z } from 'zod'
import { InputError, SluiceError } from './errors.ts'
import { type Exact, parseExactly } from './exact-json.ts'

/** Bodies of our own API are small; those that pass through the proxy are not read here. */
const bodyLimit = 1024 * 1024
/** Of numbers that are all wrong in the same way. */
const mostTold = 20

/**
 * The JSON body of a request to our own API, checked; none at all counts as `{}`. `limit` is in bytes.
 * @throws InputError 400 `bad-json`, 422 `bad-body` with a pointer to each field that is wrong; SluiceError 413
 */
export async function readJson<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
  { limit = bodyLimit }: { limit?: number } = {},
): Promise<z.output<Schema>> {
  return checkBody(parseJson(await readBytes(request, limit)), schema)
}

/**
 * A body that was read already, as what a change makes of a thing.
 * @throws InputError 422 `bad-body` with a pointer to each field that is wrong
 */
export function checkBody<Schema extends z.ZodType>(body: unknown, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  throw new InputError(422, 'bad-body', located(parsed.error))
}

/**
 * The query of a request to our own API, checked; each parameter may be given once.
 * @throws InputError 400 `bad-query` with each parameter that is wrong
 */
export function readQuery<Schema extends z.ZodType>(request: Request, schema: Schema): z.output<Schema> {
  const given: Record<string, string> = {}
  for (const [name, value] of new URL(request.url).searchParams) {
    if (name in given)
      throw new InputError(400, 'bad-query', [{ pointer: `?${name}`, detail: 'given twice' }])
    given[name] = value
  }
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  throw new InputError(
    400,
    'bad-query',
    located(parsed.error, (path) => `?${path.join('.')}`),
  )
}

/** @throws SluiceError 413 */
export async function readBytes(request: Request, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const length = request.headers.get('content-length')
  if (Number(length ?? 0) > limit) throw tooLarge(limit)
  if (length !== null) return new Uint8Array(await request.arrayBuffer())
  return await readStream(request, limit)
}

async function readStream(request: Request, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of request.body ?? []) {
    length += part.length
    if (length > limit) throw tooLarge(limit)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** @throws InputError 400 `bad-json` */
export function parseJson(bytes: Uint8Array): unknown {
  return decoded(bytes, JSON.parse, {})
}

/** With the numbers that would not be kept as they were sent. @throws InputError 400 `bad-json` */
export function parseJsonExactly(bytes: Uint8Array): Exact {
  return decoded(bytes, parseExactly, { value: {}, inexact: [] })
}

function decoded<Value>(bytes: Uint8Array, parse: (text: string) => Value, empty: Value): Value {
  if (bytes.byteLength === 0) return empty
  try {
    return parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new InputError(400, 'bad-json', [{ pointer: '', detail: 'must be JSON in UTF-8' }])
  }
}

/**
 * A body that says what is to be done later must say it exactly.
 * @throws InputError 400 `bad-json`; 422 `inexact-number`
 */
export function parseKept(bytes: Uint8Array): unknown {
  const { value, inexact } = parseJsonExactly(bytes)
  if (inexact.length > 0) throw inexactNumbers(inexact)
  return value
}

export function inexactNumbers(errors: InputError['errors']): InputError {
  return new InputError(422, 'inexact-number', errors.slice(0, mostTold))
}

/** Each thing that is wrong, with where it is; in a body, as a JSON pointer. */
export function located(
  error: z.ZodError,
  write: (path: readonly PropertyKey[]) => string = pointer,
): InputError['errors'] {
  return error.issues.flatMap((issue) => told(issue, [], write))
}

function told(
  issue: z.core.$ZodIssue,
  inside: readonly PropertyKey[],
  write: (path: readonly PropertyKey[]) => string,
): InputError['errors'][number][] {
  const path = [...inside, ...issue.path]
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ pointer: write([...path, key]), detail: 'not known here' }))
  const meant = issue.code === 'invalid_union' ? issue.errors.filter(isMeant) : []
  const [branch] = meant
  if (branch !== undefined && meant.length === 1) return branch.flatMap((one) => told(one, path, write))
  return [{ pointer: write(path), detail: issue.message }]
}

/** Of several forms, the one whose type was right and whose parts were not. */
function isMeant(issues: readonly z.core.$ZodIssue[]): boolean {
  return !issues.some(({ code, path }) => path.length === 0 && code === 'invalid_type')
}

function pointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function tooLarge(limit: number): SluiceError {
  return new SluiceError(413, 'body-too-large', `The body is larger than ${limit} bytes, the limit here`)
}
