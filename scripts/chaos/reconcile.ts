import type { Seen } from './clients.ts'
import type { Journal } from './upstream.ts'

export type Reconciled = {
  case: string
  sent: number
  /** Seen to the end by a client. */
  seen: number
  /** Answered by the upstream. */
  answered: number
  stored: number
  /** Stored as cut off, because the gateway died under them. */
  crashed: number
  refused: number
  missing: number
  wrongHash: number
  duplicates: number
  ledgerAddsUp: boolean
  note: string
}

export type StoredExchange = {
  id: string
  outcome: string
  tags: string[]
  request_sha256: string | null
  response_sha256: string | null
}

/** Holds what clients saw against what the upstream answered and what the record has. */
export function reconcile(
  seen: readonly Seen[],
  journal: Journal,
  stored: readonly StoredExchange[],
): Pick<Reconciled, 'seen' | 'answered' | 'stored' | 'crashed' | 'missing' | 'wrongHash' | 'duplicates'> {
  const byId = new Map(stored.map((exchange) => [exchange.id, exchange]))
  const numbers = stored.flatMap((exchange) => exchange.tags.filter((tag) => tag.startsWith('chaos-')))
  const missing = seen.filter(({ exchange }) => !byId.has(exchange))
  const wrong = seen.filter(({ exchange, number, requestSha, responseSha }) => {
    const kept = byId.get(exchange)
    if (kept === undefined) return false
    return (
      kept.request_sha256 !== requestSha ||
      kept.response_sha256 !== responseSha ||
      journal.answered.get(number) !== responseSha ||
      kept.outcome !== 'completed'
    )
  })
  for (const lost of missing.slice(0, 5)) console.error(`missing: ${JSON.stringify(lost)}`)
  for (const bad of wrong.slice(0, 5))
    console.error(`wrong: ${JSON.stringify([bad, byId.get(bad.exchange)])}`)
  return {
    ...{ seen: seen.length, answered: journal.answered.size, stored: stored.length },
    crashed: stored.filter(({ outcome }) => outcome === 'gateway_crashed').length,
    ...{ missing: missing.length, wrongHash: wrong.length },
    duplicates: numbers.length - new Set(numbers).size,
  }
}

export function passed(result: Reconciled): boolean {
  return result.missing + result.wrongHash + result.duplicates === 0 && result.ledgerAddsUp && result.seen > 0
}

/** Every exchange of the record, over the API. */
export async function readRecord(url: string, adminKey: string): Promise<StoredExchange[]> {
  const all: StoredExchange[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const answer = await fetch(`${url}/api/exchanges?limit=500${query}`, {
      headers: { authorization: `Bearer ${adminKey}` },
    })
    if (!answer.ok) throw new Error(`GET /api/exchanges: ${answer.status} ${await answer.text()}`)
    const page = (await answer.json()) as { items: StoredExchange[]; next_cursor: string | null }
    all.push(...page.items)
    cursor = page.next_cursor
  }
  return all
}
