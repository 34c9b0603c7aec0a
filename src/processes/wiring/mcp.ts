import { join } from 'node:path'
import type { AnyElysia } from 'elysia'
import { childEnvironment } from '#lib/env'
import { openMcp } from '#mcp'
import { mcpRoutes, serverRoutes } from '#routes/mcp'
import { captureTools } from '#tools/capture'
import { llmTools } from '#tools/llm'
import { hopMetrics, mcpServerMetrics } from '../mcp-metrics.ts'
import { version } from '../version.ts'
import type { Base } from './base.ts'
import type { Models } from './models.ts'

/** MCP traffic, and the tools that the other domains offer over it. */
export async function wireMcp(
  base: Base,
  { asking, replay, speaks }: Models,
): Promise<{ close: () => Promise<void>; routes: AnyElysia[] }> {
  const { env, log, sql, metrics, reading, access, spool, secret, vault } = base
  const { authorise } = access
  const own = { sql, reading, filesFolder: join(env.DATA_DIR, 'files') }
  // Who may start commands here can reach the network anyway.
  const allowPrivate = env.PRIVATE_ADDRESSES || env.MCP_STDIO
  const mcp = await openMcp({
    ...{ sql, spool, reading, vault, secret, authorise, log, version },
    ownTools: [
      ...captureTools({ ...own, replay, speaks }),
      ...llmTools({ ...own, orchestra: asking.orchestra }),
    ],
    ...{ folder: join(env.DATA_DIR, 'mcp'), allowStdio: env.MCP_STDIO, allowPrivate },
    streamsPerKey: env.MCP_STREAMS_PER_KEY,
    ...{ bodyMaxBytes: env.BODY_MAX_BYTES, defaultCapture: env.CAPTURE, inherited: childEnvironment() },
    guard: { host: env.HOST, hosts: env.ALLOWED_HOSTS, origins: env.MCP_ALLOWED_ORIGINS },
    observe: hopMetrics(metrics),
  })
  mcpServerMetrics(metrics, mcp)
  return {
    close: mcp.close,
    routes: [
      mcpRoutes({ edge: mcp.edge, socket: mcp.socket, sse: env.MCP_SSE }),
      serverRoutes({
        ...{ sql, servers: mcp.servers, reports: mcp.portal.reports, authorise, vault },
        ...{ allowStdio: env.MCP_STDIO, allowPrivate },
      }),
    ],
  }
}
