import type { Principal } from '#access'
import { type Reading, readContent } from '#capture'
import { idFloor, idTime, isId } from '#lib/ids'
import type { RawJson } from '../wire/message.ts'
import { fieldsOf, listOf, parse } from './fields.ts'
import { framesIn } from './frames.ts'
import { resultText } from './result-text.ts'

export type Oversized = {
  tenant: string
  /** That records the server's answer. */
  exchange: string
  server: string
  /** The tool, prompt or resource. */
  name: string
  result: RawJson
}

/** Results that are too large for an agent's context, to be read in pieces. */
export type Overflow = {
  /** Keeps a result for an hour, in memory; longer it is the server's answer on the record. */
  store(oversized: Oversized): { uri: string; bytes: number }
  /** A piece of it, which ends with where to go on. Null where there is none of that tenant. */
  read(principal: Pick<Principal, 'tenant'>, uri: string): Promise<{ text: string; mimeType: string } | null>
}

const prefix = 'sluice://overflow/'
/** Characters in a piece: 12,000 tokens or so. */
const pieceLength = 48_000
const mostBytes = 64 * 1024 * 1024
const keptMs = 3_600_000

type Kept = { tenant: string; text: string; at: number }

export function openOverflow({ reading }: { reading: Pick<Reading, 'read'> }): Overflow {
  const kept = new Map<string, Kept>()
  let held = 0

  return {
    store({ tenant, exchange, result }) {
      const text = readable(result)
      forget(exchange)
      kept.set(exchange, { tenant, text, at: Date.now() })
      held += text.length
      for (const [id, { at }] of kept) {
        if (held <= mostBytes && Date.now() - at < keptMs) break
        forget(id)
      }
      return { uri: `${prefix}${exchange}`, bytes: Buffer.byteLength(result) }
    },
    async read({ tenant }, uri) {
      const asked = parsed(uri)
      if (asked === null) return null
      const here = kept.get(asked.exchange)
      const text = here === undefined ? await recorded(reading, tenant, asked.exchange) : here.text
      if (text === null || (here !== undefined && here.tenant !== tenant)) return null
      return { text: piece(text, asked), mimeType: 'text/plain' }
    },
  }

  function forget(id: string): void {
    held -= kept.get(id)?.text.length ?? 0
    kept.delete(id)
  }
}

function parsed(uri: string): { exchange: string; from: number } | null {
  const [, exchange = '', from = '0'] =
    /^sluice:\/\/overflow\/([0-9a-f-]{36})(?:\?from=(\d{1,12}))?$/.exec(uri) ?? []
  return isId(exchange) ? { exchange, from: Number(from) } : null
}

function piece(text: string, { exchange, from }: { exchange: string; from: number }): string {
  const end = from + pieceLength
  if (from >= text.length) return `[there are ${text.length} characters; ask for ?from= below that]`
  if (end >= text.length) return text.slice(from)
  return `${text.slice(from, end)}\n[characters ${from} to ${end} of ${text.length}; go on with ${prefix}${exchange}?from=${end}]`
}

/** Its text where it is all text, else the whole of it as JSON. */
function readable(result: RawJson): string {
  const fields = fieldsOf(parse(result))
  const said = listOf(fields.messages).map(({ content }) => content)
  const blocks: unknown[] = [fields.content, fields.contents, said].find(isFilled) ?? []
  const isText = blocks.length > 0 && blocks.every((block) => typeof fieldsOf(block).text === 'string')
  return isText ? resultText(fields) : result
}

function isFilled(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length > 0
}

/** The server's answer. */
async function recorded(
  reading: Pick<Reading, 'read'>,
  tenant: string,
  exchange: string,
): Promise<string | null> {
  const content = await reading.read(async (sql) => {
    const floor = idFloor(idTime(exchange) - clockSlackMs)
    const [row] = await sql<{ id: string }[]>`
      select x.id from mcp_exchanges m join exchanges x on x.id = m.id
      where m.id = ${exchange} and m.hop = 'upstream' and m.tenant = ${tenant} and x.mode = 'full'
        and m.id >= ${floor} and x.id >= ${floor}`
    return row === undefined ? null : await readContent(sql, row.id)
  })
  const answer =
    content === null ? undefined : framesIn(content.response).findLast((frame) => 'result' in frame)
  return answer === undefined ? null : readable(JSON.stringify(answer.result))
}

const clockSlackMs = 1_000
