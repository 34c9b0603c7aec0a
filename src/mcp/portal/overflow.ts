import type { RawJson } from '../wire/message.ts'
import { elementsOf, memberOf, stringOf } from '../wire/raw-json.ts'
import type { ClientCall } from './portal.ts'

/** Where a result goes that is larger than its server may send to a client. */
export type OverflowStore = (whole: {
  tenant: string
  exchange: string
  server: string
  name: string
  result: RawJson
}) => Promise<{ uri: string; bytes: number }>

export const overflowScheme = 'sluice://overflow/'

export type About = { limit: number; server: string; name: string; call: ClientCall }

/**
 * The result, or, where it is larger than the limit, the beginning of its texts and a link to the whole.
 * Structured content is left out then: half of it would be wrong, not short.
 */
export async function shortened(result: RawJson, store: OverflowStore, about: About): Promise<RawJson> {
  // A character takes three bytes at most in UTF-8 for each unit of its length.
  if (result.length * 3 <= about.limit || Buffer.byteLength(result) <= about.limit) return result
  const { limit, server, name, call } = about
  const { tenant } = call.client.principal
  const { uri, bytes } = await store({ tenant, exchange: call.exchange, server, name, result })
  const isError = memberOf(result, 'isError') === 'true' ? { isError: true } : {}
  const kept = beginning(result, Math.max(200, limit - 1_000))
  const note = `This result has ${bytes} bytes; the limit of the server ${server} is ${limit}. The rest was left out here: the whole is at ${uri}`
  return JSON.stringify({
    content: [
      ...(kept === '' ? [] : [{ type: 'text', text: kept }]),
      { type: 'text', text: note },
      { type: 'resource_link', uri, name: `${server}/${name}`, mimeType: 'application/json', size: bytes },
    ],
    ...isError,
  })
}

/** Of its texts, as many bytes as fit. */
function beginning(result: RawJson, limit: number): string {
  let text = ''
  for (const item of elementsOf(memberOf(result, 'content') ?? '[]')) {
    text += stringOf(item, 'type') === 'text' ? (stringOf(item, 'text') ?? '') : ''
    if (text.length >= limit) break
  }
  let cut = text.slice(0, limit)
  // Escaped in JSON it may take more.
  while (Buffer.byteLength(JSON.stringify(cut)) > limit) cut = cut.slice(0, Math.floor(cut.length * 0.8))
  return cut.toWellFormed()
}
