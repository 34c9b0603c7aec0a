import type { AnyElysia } from 'elysia'
import type { Access } from '#access'
import { openLog } from '#lib/log'
import { openMetrics } from '#lib/metrics'
import { type GatewayAppOptions, gatewayApp } from '../../src/processes/gateway-app.ts'
import type { OpsOptions } from '../../src/processes/ops.ts'

export function testApp(
  access: Access,
  options: Partial<Omit<GatewayAppOptions, 'ops'>> & { ops?: Partial<OpsOptions> } = {},
): AnyElysia {
  return gatewayApp({
    routes: options.routes ?? [],
    log: options.log ?? openLog('test', 'silent'),
    ops: {
      name: 'sluice-gateway',
      version: '0.0.0-test',
      endpoint: () => null,
      metrics: openMetrics(),
      ready: async () => [],
      draining: () => false,
      authorise: access.authorise,
      openMetrics: false,
      ...options.ops,
    },
  })
}

export async function ask(app: AnyElysia, path: string, init: RequestInit = {}) {
  const response = await app.handle(new Request(`http://localhost${path}`, init))
  const text = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : null }
}
