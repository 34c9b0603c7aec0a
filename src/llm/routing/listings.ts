import { placeKey } from '../credential.ts'
import { list, object, parseJson, word } from '../dialects/json.ts'
import type { Providers, ReadyProvider } from '../providers/provider.ts'
import { urlAt } from '../target.ts'
import type { Listed } from './catalogue.ts'

/** What providers themselves say that they have. */
export type Listings = {
  /** At most five minutes old; who does not answer in time, or has no key, is left out. Never rejects. */
  read(): Promise<readonly Listed[]>
}

const freshMs = 300_000
const patienceMs = 3_000
const mostModels = 2_000

export function openListings(providers: Providers): Listings {
  let found: readonly Listed[] = []
  let readAt = Number.NEGATIVE_INFINITY
  let reading: Promise<readonly Listed[]> | null = null

  return {
    read() {
      if (performance.now() - readAt < freshMs) return Promise.resolve(found)
      reading ??= readAll().finally(() => {
        reading = null
      })
      return reading
    },
  }

  async function readAll(): Promise<readonly Listed[]> {
    const lists = await Promise.all(ready().map((provider) => readOne(provider).catch(() => [])))
    found = lists.flat()
    readAt = performance.now()
    return found
  }

  function ready(): ReadyProvider[] {
    return providers.names().flatMap((name) => {
      const provider = providers.find(name)
      const usable =
        provider !== null && provider.baseUrl !== null && (provider.keys.size > 0 || provider.open)
      return usable ? [providers.get(name)] : []
    })
  }
}

async function readOne(provider: ReadyProvider): Promise<Listed[]> {
  const isGemini = provider.dialect === 'gemini'
  const path = isGemini ? '/v1beta/models?pageSize=1000' : '/v1/models'
  const headers = new Headers(provider.dialect === 'anthropic' ? { 'anthropic-version': '2023-06-01' } : {})
  placeKey(headers, provider, isGemini ? 'gemini' : provider.dialect)
  const url = urlAt(provider.baseUrl, provider.dialect === 'anthropic' ? `${path}?limit=1000` : path)
  const answer = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(patienceMs) })
  if (!answer.ok) return []
  const body = object(parseJson(await answer.text()))
  return [...list(body?.data), ...list(body?.models)].slice(0, mostModels).flatMap((one) => {
    const name = word(object(one)?.id) ?? word(object(one)?.name)?.replace(/^models\//, '')
    return name ? [{ provider: provider.name, model: name }] : []
  })
}
