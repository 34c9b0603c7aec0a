import type { Reconciled } from './reconcile.ts'

/** A recorded call of a tool, on the hop between a client and the portal. */
export type RecordedCall = { id: string; outcome: string; number: string; answered: boolean }

type Line = {
  type?: string
  id: string
  outcome: string
  path: string
  request?: { data: string }
  response?: { data: string }
}

/** Holds what clients saw against what the server was called with and what the record has. */
export function reconcileCalls(
  seen: readonly string[],
  called: ReadonlyMap<string, number>,
  recorded: readonly RecordedCall[],
): Pick<Reconciled, 'seen' | 'answered' | 'stored' | 'crashed' | 'missing' | 'wrongHash' | 'duplicates'> {
  const answered = new Set(recorded.filter((call) => call.answered).map(({ number }) => number))
  const missing = seen.filter((number) => !answered.has(number))
  const unknown = seen.filter((number) => !called.has(number))
  for (const number of missing.slice(0, 5)) console.error(`missing: ${number}`)
  return {
    ...{ seen: seen.length, answered: called.size, stored: recorded.length },
    crashed: recorded.filter(({ outcome }) => outcome === 'gateway_crashed').length,
    ...{ missing: missing.length, wrongHash: unknown.length },
    // Nobody may call a tool twice where its client called once.
    duplicates: [...called.values()].filter((times) => times > 1).length,
  }
}

/** Every call of a tool on record, with its bytes, over the API. */
export async function readCalls(url: string, adminKey: string): Promise<RecordedCall[]> {
  const answer = await fetch(`${url}/api/export?bodies=1&dialect=mcp`, {
    headers: { authorization: `Bearer ${adminKey}` },
  })
  if (!answer.ok) throw new Error(`GET /api/export: ${answer.status} ${await answer.text()}`)
  const lines = (await answer.text()).trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as Line).flatMap(callOf)
}

function callOf({ id, outcome, path, request, response }: Line): RecordedCall[] {
  if (path?.startsWith('/mcp') !== true) return []
  const number = /"number":"(n-[^"]+)"/.exec(request?.data ?? '')?.[1]
  if (number === undefined) return []
  return [{ id, outcome, number, answered: response?.data.includes(`"text":"${number}"`) === true }]
}
