import type { Metrics } from '#lib/metrics'
import type { Mcp, ObservedHop } from '#mcp'

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]

/** To be called once a hop: a client's call of the portal, or the portal's of a server. */
export function hopMetrics(metrics: Metrics): (hop: ObservedHop) => void {
  const labels = ['hop', 'peer', 'rpc', 'outcome']
  const count = metrics.counter('sluice_mcp_hops_total', 'MCP requests ended.', labels)
  const duration = metrics.histogram('sluice_mcp_hop_seconds', 'Of an MCP request, to its answer’s end.', {
    labels: ['hop', 'peer'],
    buckets: seconds,
  })
  return ({ hop, peer, rpc, outcome, startedAt, endedAt }) => {
    const name = peer ?? 'none'
    count.add([hop, name, methods.has(rpc ?? '') ? (rpc ?? '') : 'other', outcome])
    duration.observe([hop, name], (endedAt - startedAt) / 1000)
  }
}

/** Anybody can make methods up. */
const methods = new Set([
  ...['initialize', 'server/discover', 'subscriptions/listen', 'ping', 'tools/list', 'tools/call'],
  ...['prompts/list', 'prompts/get', 'resources/list', 'resources/templates/list', 'resources/read'],
  ...['resources/subscribe', 'resources/unsubscribe', 'completion/complete', 'logging/setLevel'],
])

/** Servers as this gateway sees them. */
export function mcpServerMetrics(metrics: Metrics, { servers, portal }: Mcp): void {
  const enabled = () => servers.all().filter((one) => one.enabled && !one.spy)
  metrics.gauge(
    'sluice_mcp_server_up',
    'Is an MCP server reachable (ready, or asleep until somebody asks)?',
    ['server', 'tenant'],
    () =>
      enabled().map(({ id, name, tenant }) => {
        const status = portal.reports.report(id)?.status
        return { labels: [name, tenant ?? ''], value: status === 'ready' || status === 'idle' ? 1 : 0 }
      }),
  )
  metrics.gauge('sluice_mcp_server_tools', 'Tools that an MCP server offers.', ['server', 'tenant'], () =>
    enabled().map(({ id, name, tenant }) => ({
      labels: [name, tenant ?? ''],
      value: portal.reports.report(id)?.tools ?? 0,
    })),
  )
}
