import { codes, rpcError } from '../wire/codes.ts'
import { invalidRequest, Refusal } from './refusal.ts'

/**
 * The text of a request's body.
 * @throws Refusal 413 with the limit, 415, 400 where it is no UTF-8
 */
export async function readBody(request: Request, limit: number): Promise<string> {
  const type = request.headers.get('content-type')
  if (type !== null && !/^application\/json\s*(;|$)/i.test(type))
    throw invalidRequest(415, 'wrong-content-type', 'Content-Type must be application/json')
  const encoding = request.headers.get('content-encoding')
  if (encoding !== null && encoding !== 'identity')
    throw invalidRequest(415, 'wrong-content-encoding', 'A compressed body is not taken here')
  const announced = Number(request.headers.get('content-length') ?? Number.NaN)
  if (announced > limit) throw tooLarge(limit)
  const bytes = Number.isNaN(announced) ? await readChunks(request, limit) : await request.arrayBuffer()
  try {
    return decoder.decode(bytes)
  } catch {
    throw new Refusal(400, rpcError(codes.parseError, 'Parse error: the body is not valid UTF-8'))
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true })

async function readChunks(request: Request, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    if (size > limit) throw tooLarge(limit)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

export function tooLarge(limit: number): Refusal {
  const message = `The message is larger than the limit of ${limit} bytes`
  return new Refusal(
    413,
    rpcError(codes.invalidRequest, message, { reason: 'body-too-large', limit_bytes: limit }),
  )
}
