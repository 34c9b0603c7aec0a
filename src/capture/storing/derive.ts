import { createHash } from 'node:crypto'
import { errorText } from '#lib/errors'
import type { RecordedExchange } from '../exchange.ts'
import type { Interpret, Interpretation } from '../interpretation.ts'
import { sha256Of } from './content.ts'

/** An exchange and what its bytes mean. */
export type Derived = {
  exchange: RecordedExchange
  means: Interpretation
  requestSha256: Uint8Array | null
  responseSha256: Uint8Array | null
}

export type Readers = {
  interpret: Interpret
  /** Told where a reader failed: the exchange is then stored without its meaning, which a rebuild can add. */
  onUnreadable: (id: string, reason: string) => void
}

/** What the bytes of an exchange mean. In `metadata` mode there are none, whatever a gateway may have sent. */
export function derive(exchange: RecordedExchange, readers: Readers): Derived {
  const { open, end } = exchange
  if (open.mode !== 'full') {
    const bare = { ...exchange, request: nothing, response: nothing }
    const [requestSha256, responseSha256] = [fromHex(end.request_sha256), fromHex(end.response_sha256)]
    return {
      exchange: bare,
      means: { ...read(bare, readers), history: [], reply: null },
      requestSha256,
      responseSha256,
    }
  }
  const [requestSha256, responseSha256] = [sha256Of(exchange.request), sha256Of(exchange.response)]
  return { exchange, means: read(exchange, readers), requestSha256, responseSha256 }
}

function read(exchange: RecordedExchange, { interpret, onUnreadable }: Readers): Interpretation {
  try {
    return interpret(exchange)
  } catch (error) {
    onUnreadable(exchange.open.id, errorText(error, 300))
    return unread
  }
}

const nothing = new Uint8Array()

const unread: Interpretation = {
  model_asked: null,
  model_served: null,
  streamed: false,
  usage: null,
  cost: null,
  error: null,
  session: null,
  history: [],
  reply: null,
}

function fromHex(hex: string | undefined): Uint8Array | null {
  return hex === undefined ? null : Buffer.from(hex, 'hex')
}

/** 16 bytes that name what they were made from: enough for anything that is only ever compared within a tenant. */
export function digest16(...parts: (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest().subarray(0, 16)
}
