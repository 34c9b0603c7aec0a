import { Elysia } from 'elysia'
import { z } from 'zod'
import type { Authorise } from '#access'
import { type Metrics, prometheusText } from '#lib/metrics'
import { routeDoc } from '#lib/route-doc'
import type { Verdict } from './readiness.ts'

export type OpsOptions = {
  name: string
  version: string
  /** Where clients reach it, for the health answer; null where not known. */
  endpoint: () => string | null
  metrics: Metrics
  ready: () => Promise<Verdict[]>
  /** True once the process was told to stop: a balancer should send no more. */
  draining: () => boolean
  authorise: Authorise
  /** May anybody read the metrics? For processes bound to loopback only. */
  openMetrics: boolean
}

const tag = 'operations'

/** Health, readiness and numbers. Health asks nobody: it is as quick as the process is. */
export function opsRoutes(options: OpsOptions) {
  const { metrics, ready, draining, authorise } = options
  const id = crypto.randomUUID()
  const metricsScope = options.openMetrics ? 'open' : 'read'

  return new Elysia({ name: 'ops' })
    .get('/health', () => Response.json(health(), uncached), routeDoc(docs.health))
    .get('/ready', () => readyAnswer(() => true), routeDoc(docs.ready))
    .get(
      '/ready/proxying',
      () => readyAnswer(({ needed_for }) => needed_for === 'proxying'),
      routeDoc(docs.proxying),
    )
    .get(
      '/metrics',
      ({ request }) => {
        if (!options.openMetrics) authorise(request, 'read')
        const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', ...uncached.headers }
        return new Response(prometheusText(metrics.families()), { headers })
      },
      routeDoc({ summary: 'Metrics for Prometheus', scope: metricsScope, tag, answer: 'text/plain' }),
    )
    .get(
      '/metrics/json',
      ({ request }) => {
        if (!options.openMetrics) authorise(request, 'read')
        return Response.json({ items: metrics.families() }, uncached)
      },
      routeDoc({ summary: 'Metrics as JSON', scope: metricsScope, tag, answer: metricsAnswer }),
    )

  /** UDC 1.0, dialect B, and of the other two what does not clash. */
  function health(): z.infer<typeof healthAnswer> {
    const at = new Date().toISOString()
    return {
      id,
      name: options.name,
      service: options.name,
      steward: null,
      status: draining() ? 'inactive' : 'active',
      endpoint: options.endpoint(),
      proof: null,
      cost_usd: null,
      yield_usd: null,
      version: options.version,
      uptime_seconds: Math.floor(process.uptime()),
      updated_at: at,
      timestamp: at,
    }
  }

  async function readyAnswer(counts: (verdict: Verdict) => boolean): Promise<Response> {
    const checks = await ready()
    const ok = !draining() && checks.filter(counts).every((check) => check.ok)
    const proxying = !draining() && checks.every((check) => check.ok || check.needed_for !== 'proxying')
    const body: z.infer<typeof readyBody> = { ready: ok, proxying, draining: draining(), checks }
    return Response.json(body, { status: ok ? 200 : 503, ...uncached })
  }
}

const uncached = { headers: { 'cache-control': 'no-store' } }

const healthAnswer = z.object({
  id: z.uuid(),
  name: z.string(),
  service: z.string(),
  steward: z.string().nullable(),
  status: z.enum(['active', 'inactive', 'error']),
  endpoint: z.string().nullable(),
  proof: z.string().nullable(),
  cost_usd: z.number().nullable(),
  yield_usd: z.number().nullable(),
  version: z.string(),
  uptime_seconds: z.int(),
  updated_at: z.iso.datetime(),
  timestamp: z.iso.datetime(),
})

const readyBody = z.object({
  ready: z.boolean(),
  proxying: z.boolean(),
  draining: z.boolean(),
  checks: z.array(
    z.object({
      name: z.string(),
      needed_for: z.enum(['proxying', 'record']),
      ok: z.boolean(),
      reason: z.string().nullable(),
    }),
  ),
})

const metricsAnswer = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      help: z.string(),
      type: z.enum(['counter', 'gauge', 'histogram']),
      samples: z.array(
        z.object({ suffix: z.string(), labels: z.record(z.string(), z.string()), value: z.number() }),
      ),
    }),
  ),
})

const docs = {
  health: { summary: 'Is the process alive? Always 200', scope: 'open', tag, answer: healthAnswer },
  ready: {
    summary: 'Is everything there? 503 with reasons otherwise',
    description:
      'Calls are proxied without database and queue too. For a load balancer in front of gateways use /ready/proxying.',
    scope: 'open',
    tag,
    answer: readyBody,
  },
  proxying: {
    summary: 'Can calls be proxied? 503 with reasons otherwise',
    scope: 'open',
    tag,
    answer: readyBody,
  },
} as const
