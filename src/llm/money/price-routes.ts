import { readFile, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { Elysia } from 'elysia'
import { z } from 'zod'
import { InputError, SluiceError } from '#lib/errors'
import { newId } from '#lib/ids'
import { readJson, readQuery } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import { safeRequest } from '#lib/safe-request'
import { iso } from './budget-queries.ts'
import { listBytes, nameOf, storeList } from './price-list.ts'
import type { MoneyRoutesOptions } from './routes-options.ts'
import {
  idOf,
  listOf,
  notFound,
  type PriceView,
  pageOf,
  pageQuery,
  priceInput,
  priceView,
  tag,
} from './shapes.ts'

const query = z.strictObject(pageQuery)

const refreshInput = z.strictObject({
  source: z
    .string()
    .min(1)
    .max(2_000)
    .meta({ description: 'An http or https URL, or the name of a file in DATA_DIR/prices' }),
})

const listView = z.object({
  name: z.string().meta({ description: 'As it stands in the price version of an exchange' }),
  source: z.string().nullable().meta({ description: 'Null: came with the program' }),
  providers: z.int().nullable(),
  models: z.int().nullable(),
  loaded_at: z.iso.datetime().nullable(),
})

const pricesView = listOf(priceView).extend({ list: listView })

/**
 * Prices. A change is in force on all gateways and workers within a second, for calls stored from then on: what an
 * exchange cost stays with it, together with the version of its price.
 */
export function priceRoutes(options: MoneyRoutesOptions) {
  const { sql, authorise, refresh, allowPrivate, pricesFolder } = options
  return new Elysia()
    .get(
      '/api/prices',
      async ({ request }) => {
        authorise(request, 'read')
        const { limit, cursor } = readQuery(request, query)
        const rows = await sql<PriceView[]>`
          select ${columns()} from price_overrides
          where ${cursor ?? null}::uuid is null or id < ${cursor ?? null} order by id desc limit ${limit + 1}`
        return Response.json({ ...pageOf(rows, limit), list: await listInForce() })
      },
      routeDoc({
        summary: 'The price list in force, and the prices that take its place',
        scope: 'read',
        tag,
        query,
        answer: pricesView,
      }),
    )
    .put(
      '/api/prices',
      async ({ request }) => Response.json(await put(request)),
      routeDoc({
        summary: 'Set the price of a model, or of all other models of a provider',
        ...{ scope: 'admin', tag, body: priceInput, answer: priceView },
      }),
    )
    .delete(
      '/api/prices/:id',
      async ({ request, params: { id } }) => {
        authorise(request, 'admin')
        const { count } = await sql`delete from price_overrides where id = ${idOf(id, 'price')}`
        if (count === 0) throw notFound('price')
        await refresh().catch(() => {})
        return new Response(null, { status: 204 })
      },
      routeDoc({ summary: 'Go back to the list’s price', scope: 'admin', tag, status: 204 }),
    )
    .post(
      '/api/prices/refresh',
      async ({ request }) => {
        authorise(request, 'admin')
        const { source } = await readJson(request, refreshInput)
        await storeList(sql, await readList(source), source)
        await refresh().catch(() => {})
        return Response.json(await listInForce())
      },
      routeDoc({
        summary: 'Load a newer price list',
        scope: 'admin',
        tag,
        body: refreshInput,
        answer: listView,
      }),
    )

  async function put(request: Request): Promise<PriceView> {
    authorise(request, 'admin')
    const { provider, model, ...rates } = await readJson(request, priceInput)
    // A new id with each change: the old one stands in the record for the old price.
    const row = { id: newId(), provider, model, ...rates }
    await sql.begin(async (tx) => {
      await tx`delete from price_overrides where provider = ${provider} and model is not distinct from ${model}`
      await tx`insert into price_overrides ${tx(row)}`
    })
    await refresh().catch(() => {})
    const [stored] = await sql<PriceView[]>`select ${columns()} from price_overrides where id = ${row.id}`
    if (stored === undefined)
      throw new SluiceError(409, 'price-changed', 'Another price took its place just now')
    return stored
  }

  async function listInForce() {
    const [row] = await sql<
      { sha256: string; source: string; providers: number; models: number; loaded_at: string }[]
    >`
      select sha256, source, providers, models, ${iso(sql, sql`loaded_at`)} as loaded_at
      from price_lists order by price_lists.loaded_at desc, id desc limit 1`
    if (row === undefined) {
      return { name: options.book().list, source: null, providers: null, models: null, loaded_at: null }
    }
    const { sha256, ...rest } = row
    return { name: nameOf(sha256), ...rest }
  }

  async function readList(source: string): Promise<string> {
    if (!/^https?:\/\//.test(source)) return await readFileOf(pricesFolder, source)
    const asked = {
      url: source,
      method: 'GET',
      allowPrivate,
      maxBytes: listBytes,
      timeoutMs: 30_000,
    } as const
    const { status, text } = await safeRequest(asked)
    if (status === 200) return text
    throw new SluiceError(502, 'no-answer', `Load a price list: ${new URL(source).host} answered ${status}`)
  }

  function columns() {
    return sql`id, provider, model, input, output, cache_read, cache_write, cache_write_1h, note,
      ${iso(sql, sql`created_at`)} as created_at`
  }
}

/** Only what lies in that folder, links followed. */
async function readFileOf(folder: string, name: string): Promise<string> {
  const missing = new InputError(422, 'bad-body', [
    { pointer: '/source', detail: 'must be a URL, or the name of a file in DATA_DIR/prices' },
  ])
  const root = await realpath(folder).catch(() => null)
  const path = await realpath(join(folder, name)).catch(() => null)
  if (root === null || path === null || !path.startsWith(root + sep)) throw missing
  const { size } = await stat(path)
  if (size > listBytes) throw missing
  return await readFile(path, 'utf8').catch(() => {
    throw missing
  })
}
