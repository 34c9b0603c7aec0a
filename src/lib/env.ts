import { z } from 'zod'
import { isNetwork } from './client-address.ts'
import { SetupError } from './errors.ts'
import { isLoopback } from './known-hosts.ts'

const bytes = z.coerce.number().int().positive()
const flag = z
  .enum(['true', 'false', '1', '0', 'on', 'off'])
  .transform((word) => ['true', '1', 'on'].includes(word))
/** Names with commas between them. */
const names = z
  .string()
  .default('')
  .transform((text) => text.split(',').flatMap((name) => name.trim() || []))

const schema = z.object({
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  DATA_DIR: z.string().min(1).default('./.data'),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  QUEUE_URL: z.url({ protocol: /^(rediss?|postgres(ql)?)(\+(sentinel|cluster))?$/ }).optional(),
  ADMIN_KEY: z.string().min(16, 'must have at least 16 characters').optional(),
  SECRET_KEY: z.string().min(32, 'must have at least 32 characters').optional(),
  PASS_THROUGH_KEYS: flag.optional(),
  CAPTURE: z.enum(['full', 'metadata']).default('full'),
  SPOOL_MAX_BYTES: bytes.min(16 * 1024 * 1024, 'must be at least 16777216 (16 MiB)').default(8 * 1024 ** 3),
  SPOOL_FULL: z.enum(['block', 'drop']).default('block'),
  RETENTION_DAYS: z.coerce.number().int().min(1).optional(),
  AUDIT_RETENTION_DAYS: z.coerce.number().int().min(1).optional(),
  LOG_RETENTION_DAYS: z.coerce.number().int().min(1).optional(),
  LOG_RETENTION_COUNT: z.coerce.number().int().min(1).optional(),
  BODY_MAX_BYTES: bytes.default(100 * 1024 * 1024),
  UPSTREAM_CONNECT_TIMEOUT_MS: z.coerce.number().int().min(100).default(10_000),
  UPSTREAM_IDLE_TIMEOUT_MS: z.coerce.number().int().min(1_000).default(600_000),
  CLIENT_GONE: z.enum(['cancel', 'finish']).default('cancel'),
  PRIVATE_ADDRESSES: flag.default(false),
  MCP_STDIO: flag.optional(),
  ALLOWED_HOSTS: names,
  TRUSTED_PROXIES: names.refine(
    (all) => all.every(isNetwork),
    'must be addresses or networks with commas between them, as in 10.0.0.0/8',
  ),
  MCP_ALLOWED_ORIGINS: names,
  MCP_SSE: flag.default(false),
  MCP_STREAMS_PER_KEY: z.coerce.number().int().min(1).default(2_000),
  CACHE_STORE: z.enum(['redis', 'postgres', 'memory']).optional(),
  CACHE_MAX_BYTES: bytes.default(256 * 1024 * 1024),
  CLASSIFY: flag.default(true),
  CLASSIFY_MODEL: z
    .string()
    .regex(/^[a-z0-9-]+\/\S+$/, 'must be provider/model')
    .optional(),
  CLASSIFY_PER_MINUTE: z.coerce.number().int().min(1).max(100_000).default(100),
  JOBS_CONCURRENCY: z.coerce.number().int().min(1).max(1_000).default(16),
  GATEWAY_URL: z.url({ protocol: /^https?$/ }).optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
})

export type ProviderEnv = { apiKey?: string; baseUrl?: string }

export type Env = z.infer<typeof schema> & {
  /** May clients bring their own provider credential? Unless set: only when bound to loopback. */
  PASS_THROUGH_KEYS: boolean
  /** May rows of MCP servers name commands, which run on this host? Unless set: only when bound to loopback. */
  MCP_STDIO: boolean
  /** Where calls of our own go. Unless set: the gateway with the same HOST and PORT. */
  GATEWAY_URL: string
  /** From `<PROVIDER>_API_KEY` and `<PROVIDER>_BASE_URL`, by provider name: `AZURE_OPENAI_…` is `azure-openai`. */
  providers: Record<string, ProviderEnv>
}

/**
 * The process's settings, read once and validated. The only reader of the environment.
 * @throws SetupError naming the first bad variable, and what it must be
 */
export function readEnv(source: Record<string, string | undefined> = process.env): Env {
  const set = Object.fromEntries(
    Object.entries(source).filter(([, value]) => value !== undefined && value !== ''),
  )
  const parsed = schema.safeParse(set)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const name = String(issue?.path[0] ?? 'environment')
    throw new SetupError(
      `${name}=${name === 'ADMIN_KEY' || name === 'SECRET_KEY' ? '…' : JSON.stringify(set[name])}: ${issue?.message}`,
    )
  }
  const { CACHE_STORE, QUEUE_URL, HOST } = parsed.data
  if (CACHE_STORE === 'redis' && !QUEUE_URL?.startsWith('redis'))
    throw new SetupError('CACHE_STORE="redis": needs a QUEUE_URL of Redis, which it shares')
  const loopback = isLoopback(HOST)
  return {
    ...parsed.data,
    PASS_THROUGH_KEYS: parsed.data.PASS_THROUGH_KEYS ?? loopback,
    MCP_STDIO: parsed.data.MCP_STDIO ?? loopback,
    GATEWAY_URL: (parsed.data.GATEWAY_URL ?? gatewayHere(parsed.data)).replace(/\/+$/, ''),
    providers: readProviders(set),
  }
}

/** Of our environment, what processes may see that we start for others: nothing secret. */
export function childEnvironment(
  source: Record<string, string | undefined> = process.env,
): Record<string, string> {
  const kept = Object.entries(source).filter(([name]) => inheritable.test(name))
  return Object.fromEntries(kept.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}

const inheritable = /^(PATH|HOME|USER|LOGNAME|SHELL|TERM|TMPDIR|TZ|LANG|LC_\w+)$/

function gatewayHere({ HOST, PORT }: { HOST: string; PORT: number }): string {
  const host = HOST === '0.0.0.0' || HOST === '::' ? '127.0.0.1' : HOST
  return `http://${host.includes(':') ? `[${host}]` : host}:${PORT}`
}

function readProviders(set: Record<string, string | undefined>): Record<string, ProviderEnv> {
  const providers: Record<string, ProviderEnv> = {}
  for (const [name, value] of Object.entries(set)) {
    const match = /^([A-Z][A-Z0-9_]*)_(API_KEY|BASE_URL)$/.exec(name)
    if (match?.[1] === undefined || value === undefined) continue
    const provider = match[1].toLowerCase().replaceAll('_', '-')
    const found = match[2] === 'API_KEY' ? { apiKey: value } : { baseUrl: validUrl(name, value) }
    providers[provider] = { ...providers[provider], ...found }
  }
  return providers
}

function validUrl(name: string, value: string): string {
  const url = URL.parse(value)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new SetupError(`${name}=${JSON.stringify(value)}: must be an http or https URL`)
  }
  return value.replace(/\/+$/, '')
}
