import { isUtf8 } from 'node:buffer'
import { SluiceError } from '#lib/errors'
import type { RecordedExchange } from '../exchange.ts'
import { decodedBytes } from './decode.ts'
import { headerOf, type Side } from './raw.ts'

/** Of one side in one answer; of bytes that are no text as much. */
export const shownLength = 100_000

/**
 * A part of one side's bytes, decompressed, for who reads text.
 * @throws SluiceError 422 where the compression is not known
 */
export async function exchangeText(recorded: RecordedExchange, side: Side, offset: number) {
  const encoding = headerOf(recorded, side, 'content-encoding')
  const found = await decodedBytes(recorded[side], encoding, offset + shownLength + 1)
  if (found === null) {
    const message = `decoding the ${side}: content-encoding ${encoding} is not known`
    throw new SluiceError(422, 'unknown-encoding', message)
  }
  const part = found.bytes.subarray(offset, offset + shownLength)
  const more = found.bytes.length > offset + shownLength
  const text = isText(found.bytes)
  return {
    encoding: text ? 'utf8' : 'base64',
    data: text ? new TextDecoder().decode(part) : Buffer.from(part).toString('base64'),
    next_offset: more ? offset + shownLength : null,
  }
}

/** The last character may be cut in the middle. */
function isText(bytes: Uint8Array): boolean {
  return [0, 1, 2, 3].some((cut) => isUtf8(bytes.subarray(0, bytes.length - cut)))
}
