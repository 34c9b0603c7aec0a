import { cpuSeconds } from './process-cost.ts'
import { type RunningSluice, startSluice } from './sluice.ts'
import { startUpstream } from './targets.ts'
import { load } from './workloads.ts'

/** CPU of one gateway, in µs a request, with more and more to decide about each call. */
export type RuleFigures = { setting: string; cpuUs: number; addedUs: number }[]

const rounds = 5
/** Less than what the record can take at once. */
const ratePerSecond = 1_500

/**
 * The same calls to the same provider, in turns: without rules, with ten of which the last fits, with rate limits and
 * budgets as well. Of the rounds the median, as the machine is never the same for long.
 */
export async function measureRules(seconds: number): Promise<RuleFigures> {
  const upstream = await startUpstream()
  const sluice = await startSluice(`http://127.0.0.1:${upstream.port}`)
  const api = apiOf(sluice)
  const settings: [name: string, change: () => Promise<void>][] = [
    ['no rules', api.clear],
    ['ten rules', api.route],
    ['and a limit', api.limit],
    ['and two budgets', api.budget],
  ]
  const found = settings.map((): number[] => [])
  try {
    await api.price()
    for (let round = 0; round <= rounds; round += 1) {
      for (const [index, [name, change]] of settings.entries()) {
        await change()
        const cpuUs = await costOf(sluice, seconds / 4)
        // The first is for warming up.
        if (round > 0) found[index]?.push(cpuUs)
        console.error(`rules · ${name}: ${cpuUs.toFixed(0)} µs`)
      }
    }
  } finally {
    await sluice.stop()
    await upstream.stop()
  }
  return settings.map(([setting], index) => ({
    setting,
    cpuUs: median(found[index] ?? []),
    addedUs: median((found[index] ?? []).map((cost, round) => cost - (found[0]?.[round] ?? 0))),
  }))
}

/** Up to where all of it is out of the spool: what is shipped later would count for the next setting. */
async function costOf({ port, url, adminKey, gatewayPid }: RunningSluice, seconds: number): Promise<number> {
  const before = cpuSeconds(gatewayPid)
  const { requests, errors } = await load({
    ...{ port, path: '/v1/chat/completions', headers: { authorization: 'Bearer bench' } },
    ...{ connections: 8, seconds, rate: ratePerSecond, bodyBytes: 400 },
  })
  if (errors > 0) throw new Error(`rules: ${errors} of ${requests} calls failed`)
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await Bun.sleep(20)) {
    const answer = await fetch(`${url}/api/ledger`, { headers: { authorization: `Bearer ${adminKey}` } })
    const { total } = (await answer.json()) as { total: { spooled: number } }
    if (total.spooled === 0) break
  }
  return ((cpuSeconds(gatewayPid) - before) * 1e6) / requests
}

function apiOf({ url, adminKey }: RunningSluice) {
  const candidates = [{ provider: 'openai' }]
  const made: string[] = []
  return {
    clear,
    route,
    limit,
    budget,
    price: () => put('/api/prices', { provider: 'openai', input: 1, output: 1 }),
  }

  async function clear(): Promise<void> {
    for (const path of made.splice(0)) await send('DELETE', path)
  }

  async function route(): Promise<void> {
    for (let number = 0; number < 10; number += 1) {
      const models = [number === 9 ? 'gpt-*' : `other-${number}-*`]
      await put('/api/routes', { name: `rule-${number}`, position: number, match: { models }, candidates })
      made.push(`/api/routes/rule-${number}`)
    }
  }

  async function limit(): Promise<void> {
    await put('/api/limits', { ...about('tenant'), requests: 1e9 })
  }

  async function budget(): Promise<void> {
    for (const scope of ['tenant', 'global'] as const)
      await put('/api/budgets', { ...about(scope), period: 'day', limit_micros: 1e12 })
  }

  function about(scope: 'tenant' | 'global') {
    return { name: scope, scope, ...(scope === 'tenant' ? { subject: 'default' } : {}) }
  }

  async function put(path: string, body: object): Promise<void> {
    const { id } = await send(path === '/api/prices' ? 'PUT' : 'POST', path, body)
    if (typeof id === 'string' && path !== '/api/prices' && path !== '/api/routes') made.push(`${path}/${id}`)
  }

  async function send(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    const answer = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return text === '' ? {} : JSON.parse(text)
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const high = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] ?? 0)) / 2
}
