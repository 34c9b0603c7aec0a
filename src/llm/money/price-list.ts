import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import type { Provider } from '@pydantic/genai-prices'
import type { Sql } from 'postgres'
import { z } from 'zod'
import { errorText, SluiceError } from '#lib/errors'
import { newId } from '#lib/ids'
import { type List, lister } from '../price.ts'

const pack = promisify(zlib.zstdCompress)
const unpack = promisify(zlib.zstdDecompress)

/** Enough to tell a list from anything else; what its prices are, the calculation checks. */
const schema = z
  .array(
    z.looseObject({
      id: z.string().min(1).max(100),
      models: z.array(
        z.looseObject({
          id: z.string().min(1),
          match: z.record(z.string(), z.unknown()),
          prices: z.union([z.array(z.unknown()).min(1), z.record(z.string(), z.unknown())]),
        }),
      ),
    }),
  )
  .min(1)

export const listBytes = 16 * 1024 * 1024

export type StoredList = {
  id: string
  name: string
  source: string
  providers: number
  models: number
  loaded_at: string
}

/**
 * Takes a list in the format of genai-prices into use. Costs that were computed before stay as they are.
 * @throws SluiceError 422 `bad-price-list`
 */
export async function storeList(sql: Sql, text: string, source: string): Promise<string> {
  const providers = parsed(text)
  const models = providers.reduce((sum, one) => sum + one.models.length, 0)
  if (models === 0) throw bad('has no models')
  const sha256 = createHash('sha256').update(text).digest('hex')
  const id = newId()
  const data = await pack(Buffer.from(text))
  await sql`
    insert into price_lists (id, sha256, source, providers, models, data)
    values (${id}, ${sha256}, ${source}, ${providers.length}, ${models}, ${data})`
  return id
}

/** The list in force, where it is another than that of the program; `known` where it is still that. */
export async function newestList(
  sql: Sql,
  known: (List & { sha256: string }) | undefined,
): Promise<(List & { sha256: string }) | undefined> {
  const [head] = await sql<{ id: string; sha256: string }[]>`
    select id, sha256 from price_lists order by loaded_at desc, id desc limit 1`
  if (head === undefined) return undefined
  if (head.sha256 === known?.sha256) return known
  const [row] = await sql<{ data: Uint8Array }[]>`select data from price_lists where id = ${head.id}`
  if (row === undefined) return known
  const text = (await unpack(row.data)).toString('utf8')
  const name = nameOf(head.sha256)
  return { name, sha256: head.sha256, providers: parsed(text) }
}

/** As it stands in the price version of an exchange. */
export function nameOf(sha256: string): string {
  return `list/${sha256.slice(0, 12)}`
}

function parsed(text: string): Provider[] {
  try {
    const providers = schema.parse(JSON.parse(text)) as unknown as Provider[]
    const { price } = lister({ name: 'new', providers })
    // A list that cannot price anything at all is no list: the names of vendors are the same in all.
    const usage = {
      input: 1e6,
      output: 1e6,
      cache_read: 0,
      cache_write: 0,
      cache_write_1h: 0,
      reasoning: 0,
      final: true,
    }
    const priced = providers.some(({ id, models }) =>
      models.some((model) => price({ provider: ours(id), model: model.id, usage, at: Date.now() }) !== null),
    )
    if (!priced) throw new Error('none of its prices can be used')
    return providers
  } catch (error) {
    if (error instanceof z.ZodError) throw bad(z.prettifyError(error).slice(0, 300))
    throw bad(errorText(error, 300))
  }
}

function ours(id: string): string {
  return (
    { google: 'gemini', 'x-ai': 'xai', moonshotai: 'moonshot', aws: 'bedrock', azure: 'azure-openai' }[id] ??
    id
  )
}

function bad(detail: string): SluiceError {
  return new SluiceError(422, 'bad-price-list', `Load a price list in the format of genai-prices: ${detail}`)
}
