import { SluiceError } from '#lib/errors'
import { replaceMember } from '#lib/json-edit'
import { decodedBytes } from './decode.ts'

/** What a replay needs of the recorded exchange. */
export type Recorded = {
  id: string
  protocol: string
  method: string
  /** Path and query as the client sent them, credentials removed. */
  path: string
  headers: readonly (readonly [string, string])[]
  body: Uint8Array
}

/** Of the connection and not of the message, or made anew for the new one. */
const ofTheConnection = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

export type RebuildOptions = {
  /** Instead of the one in the recorded request. */
  model?: string | undefined
  /** What the client that asks can read now; the recorded one may have read more. */
  acceptEncoding?: string | null
  signal?: AbortSignal
}

const decodedAtMost = 100 * 1024 * 1024

/**
 * The recorded request once more, as a client would send it to this gateway: the same bytes, unless another model
 * is asked for.
 * @throws SluiceError 422 where it cannot be sent again, or names no model that could be replaced
 */
export async function rebuildRequest(recorded: Recorded, options: RebuildOptions): Promise<Request> {
  if (recorded.protocol !== 'http')
    throw cannot(recorded, `it was ${recorded.protocol}, and only HTTP can be sent again`)
  const headers = new Headers()
  for (const [name, value] of recorded.headers) {
    if (!ofTheConnection.has(name) && !name.startsWith('sluice-')) headers.append(name, value)
  }
  if (options.acceptEncoding !== undefined)
    headers.set('accept-encoding', options.acceptEncoding ?? 'identity')
  const { path, body } =
    options.model === undefined ? recorded : await withModel(recorded, headers, options.model)
  const bodiless = recorded.method === 'GET' || recorded.method === 'HEAD'
  if (!bodiless) headers.set('content-length', String(body.length))
  return new Request(new URL(path, 'http://gateway').href, {
    method: recorded.method,
    headers,
    ...(bodiless ? {} : { body: body as Uint8Array<ArrayBuffer> }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
}

/** Gemini names the model in the path, the others in the body. */
async function withModel(
  recorded: Recorded,
  headers: Headers,
  model: string,
): Promise<{ path: string; body: Uint8Array }> {
  const inPath = /^(\/(?:p\/[^/]+\/)?v1(?:alpha|beta)?\/models\/)[^/:?]+(:[^?]*)/.exec(recorded.path)
  if (inPath !== null) {
    const rest = recorded.path.slice(inPath[0].length)
    return { path: `${inPath[1]}${encodeURIComponent(model)}${inPath[2]}${rest}`, body: recorded.body }
  }
  const decoded = await decodedBytes(recorded.body, headers.get('content-encoding'), decodedAtMost)
  const edited = decoded?.whole ? replaceMember(decoded.bytes, 'model', model) : null
  if (edited === null) throw cannot(recorded, 'its body is no JSON object with a "model" to replace')
  headers.delete('content-encoding')
  return { path: recorded.path, body: edited }
}

function cannot(recorded: Recorded, reason: string): SluiceError {
  return new SluiceError(422, 'cannot-replay', `replaying exchange ${recorded.id}: ${reason}`)
}
