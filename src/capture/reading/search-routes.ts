import { Elysia } from 'elysia'
import { readQuery } from '#lib/input'
import { routeDoc } from '#lib/route-doc'
import type { CaptureRoutesOptions } from '../routes.ts'
import { reach } from './reach.ts'
import { searchInput, searchTurns } from './search.ts'

const tag = 'the record'
const scope = 'read'

export function searchRoutes({ reading, authorise }: CaptureRoutesOptions) {
  return new Elysia().get(
    '/api/search',
    async ({ request }) => Response.json(await search(request)),
    routeDoc({
      summary: 'Search the text of turns, newest first',
      description:
        'All words must be there. `"quotes"` ask for a phrase, `or` for either, `-` for absence, `*` for a beginning.',
      scope,
      tag,
      query: searchInput,
    }),
  )

  async function search(request: Request) {
    const principal = authorise(request, scope)
    const { limit, cursor, ...filters } = readQuery(request, searchInput)
    const tenant = reach(principal, filters.tenant)
    return await reading.read((sql) => searchTurns(sql, { ...filters, tenant }, { limit, cursor }))
  }
}
