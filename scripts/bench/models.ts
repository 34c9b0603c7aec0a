import { startSluice } from './sluice.ts'
import { startTarget, startUpstream, type Target } from './targets.ts'
import { type Measured, measure, type Workload } from './workloads.ts'

/** An OpenAI client on a model of Anthropic's: both gateways translate the request and its answer. */
export async function measureModels(seconds: number): Promise<Measured[]> {
  const upstream = await startUpstream()
  const targets = [upstream]
  const results: Measured[] = []
  try {
    targets.push(await translatingSluice(upstream))
    targets.push(await translatingPortkey(upstream))
    for (const workload of workloads(seconds)) {
      for (const target of targets) {
        console.error(`${workload.name} · ${target.name}`)
        results.push(await measure(workload, target))
      }
    }
  } catch (error) {
    console.error(`left out: ${error instanceof Error ? error.message : error}`)
  } finally {
    for (const target of targets.reverse()) await target.stop()
  }
  return results
}

function workloads(seconds: number): Workload[] {
  const plan = { connections: 8, seconds }
  return [
    { name: 'translate-small', what: 'chat to Messages, 400 B', plan: { ...plan, bodyBytes: 400 } },
    { name: 'translate-75kb', what: 'chat to Messages, 75 KB', plan: { ...plan, bodyBytes: 75_000 } },
  ]
}

async function translatingSluice(upstream: Target): Promise<Target> {
  const sluice = await startSluice(`http://127.0.0.1:${upstream.port}`, { ANTHROPIC_API_KEY: 'bench' })
  const answer = await fetch(`${sluice.url}/api/routes`, {
    method: 'POST',
    headers: { authorization: `Bearer ${sluice.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ name: 'translate', match: { models: ['gpt-bench'] } },
      candidates: [{ provider: 'anthropic', model: 'claude-bench' }],
    }),
  })
  if (!answer.ok) throw new Error(`POST /api/routes: ${answer.status} ${await answer.text()}`)
  return {
    ...upstream,
    ...{ name: 'sluice', port: sluice.port, pid: sluice.gatewayPid, stop: sluice.stop },
    headers: { authorization: `Bearer ${sluice.adminKey}` },
  }
}

async function translatingPortkey(upstream: Target): Promise<Target> {
  const portkey = await startTarget('portkey', upstream)
  return { ...portkey, headers: { ...portkey.headers, 'x-portkey-provider': 'anthropic' } }
}
