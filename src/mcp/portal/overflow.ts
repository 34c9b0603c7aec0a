import type { Overflow, Oversized } from '../record/overflow.ts'
import { wholeTooLarge } from '../upstream/failure.ts'
import type { Answer, RawJson } from '../wire/message.ts'
import { elementsOf, memberOf, stringOf } from '../wire/raw-json.ts'
import { wantsInput } from './ask-inputs.ts'
import { beginning, cutItem, cutMessage } from './beginning.ts'
import { answerFor } from './era.ts'
import type { ClientCall } from './portal.ts'

/** Where a result goes that is larger than its server may send to a client. */
export type OverflowStore = Overflow['store']

export const overflowScheme = 'sluice://overflow/'

export type About = Pick<Oversized, 'server' | 'name' | 'of'> & { limit: number; call: ClientCall }

/**
 * The answer, or, where it is larger than the limit, the beginning of it and a link to the whole. What cannot be cut
 * is an error that names the limit and the link.
 */
export async function fitting(
  answer: Answer,
  store: OverflowStore | undefined,
  about: About,
): Promise<Answer> {
  const { limit, server, name, call, of } = about
  if ('error' in answer || store === undefined || fits(answer.result, limit)) return answer
  const { result } = answer
  if (wantsInput(answer)) return { error: wholeTooLarge(Buffer.byteLength(result), limit) }
  const { tenant, keyId } = call.client.principal
  const { uri, bytes } = await store({ tenant, keyId, of, server, name, result })
  const note = `This result has ${bytes} bytes; the limit of the server ${server} is ${limit}. The rest was left out here: the whole is at ${uri}`
  const link = {
    type: 'resource_link',
    uri,
    name: `${server}/${name}`,
    mimeType: 'text/plain',
    size: bytes,
  }
  const short = shortened[call.method]?.(result, Math.max(200, limit - 1_000), {
    ...{ uri, note },
    link: call.client.protocolVersion >= linksSince ? link : null,
  })
  if (short == null) return { error: wholeTooLarge(bytes, limit, uri) }
  return answerFor(call.client.era, call.method, { result: short })
}

function fits(result: RawJson, limit: number): boolean {
  // A character takes three bytes at most in UTF-8 for each unit of its length.
  return result.length * 3 <= limit || Buffer.byteLength(result) <= limit
}

/** Clients of before know no such content, and the note has the address. */
const linksSince = '2025-06-18'

type Left = { uri: string; note: string; link: object | null }
type Shorten = (result: RawJson, room: number, left: Left) => RawJson | null

const shortened: Record<string, Shorten> = {
  'tools/call': shortTool,
  'prompts/get': shortPrompt,
  'resources/read': shortResource,
}

/** Structured content is left out: half of it would be wrong, not short. */
function shortTool(result: RawJson, room: number, { note, link }: Left): RawJson {
  const kept = beginning(itemsOf(result, 'content'), room, cutItem)
  const more = [{ type: 'text', text: note }, ...(link === null ? [] : [link])]
  const isError = memberOf(result, 'isError') === 'true' ? ',"isError":true' : ''
  return `{"content":${listOf(kept, more)}${isError}}`
}

function shortPrompt(result: RawJson, room: number, { note, link }: Left): RawJson {
  const kept = beginning(itemsOf(result, 'messages'), room, cutMessage)
  const more = [{ type: 'text', text: note }, ...(link === null ? [] : [link])]
  const said = more.map((content) => ({ role: 'user', content }))
  return `{"messages":${listOf(kept, said)}}`
}

/** Of bytes a part would be wrong: null. */
function shortResource(result: RawJson, room: number, { uri, note }: Left): RawJson | null {
  const items = itemsOf(result, 'contents')
  if (items.some((item) => stringOf(item, 'text') === null)) return null
  const kept = beginning(items, room, cutItem)
  return `{"contents":${listOf(kept, [{ uri, mimeType: 'text/plain', text: note }])}}`
}

function itemsOf(result: RawJson, list: string): RawJson[] {
  return elementsOf(memberOf(result, list) ?? '[]')
}

function listOf(kept: readonly RawJson[], more: readonly object[]): RawJson {
  return `[${[...kept, ...more.map((one) => JSON.stringify(one))].join(',')}]`
}
