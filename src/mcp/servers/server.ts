/** An MCP server behind the portal, as gateways hold it: its row, with the secrets open. */
export type Server = {
  id: string
  /** Null: of all tenants. */
  tenant: string | null
  /** Unique within what a tenant sees. */
  name: string
  enabled: boolean
  transport: Transport
  /** Of `stdio`. */
  command: string | null
  args: readonly string[]
  env: Readonly<Record<string, string>>
  cwd: string | null
  /** Of the others. */
  url: string | null
  headers: Readonly<Record<string, string>>
  /** By the server's own name of the tool. */
  tools: Readonly<Record<string, ToolSetting>>
  timeout_ms: number
  /** Of a result: what is above is stored and linked. */
  max_result_bytes: number
  /** A connection that nobody used for so long ends; null: never. */
  idle_stop_ms: number | null
  /** What stands before its names, as in `namespace__tool`; null: its name. */
  namespace: string | null
  /** For the WebSocket spy alone: the portal does not speak to it. */
  spy: boolean
  /** Changes with whatever a connection depends on. */
  fingerprint: string
  /** Why this gateway cannot use it, as in credentials that another secret sealed; null: it can. */
  problem: string | null
}

export const transports = ['stdio', 'http', 'sse', 'ws'] as const
export type Transport = (typeof transports)[number]

export type ToolSetting = {
  /** @default true */
  enabled?: boolean | undefined
  /** @default that of the server */
  timeout_ms?: number | undefined
}

/** The built-in server: Sluice's own tools, which keep their names. No row may take its name. */
export const ownServerName = 'sluice'
