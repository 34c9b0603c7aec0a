import type { Sql } from 'postgres'
import { InputError, SluiceError } from '#lib/errors'
import { newId } from '#lib/ids'
import { checkBody } from '#lib/input'
import { checkedUrl } from '#lib/safe-request'
import type { Vault } from '#lib/vault'
import {
  deleteServer,
  findServer,
  insertServer,
  listServers,
  type ServerInput,
  type ServerRow,
  updateServer,
} from './queries.ts'
import { noSecrets, openSecrets, type Secrets, sealSecrets } from './secrets.ts'
import { type NewServer, serverBody, type serverPatch } from './server-shapes.ts'
import { type ServerSpec, serverSpec } from './settings.ts'
import { hidden, shownArgs, shownUrl } from './shown.ts'

export type ServerStoreOptions = { sql: Sql; vault: Vault; allowStdio: boolean; allowPrivate: boolean }

type Settings = Omit<NewServer, 'name' | 'tenant'>

/** Rows of servers, with their secrets sealed on the way in. */
export function serverStore({ sql, vault, allowStdio, allowPrivate }: ServerStoreOptions) {
  return {
    list: (tenant: string | null) => listServers(sql, tenant),

    async find(tenant: string, name: string): Promise<ServerRow> {
      const row = await findServer(sql, tenant, name)
      if (row !== null) return row
      throw new SluiceError(404, 'not-found', `There is no MCP server ${JSON.stringify(name.slice(0, 100))}`)
    },

    async add(tenant: string | null, { name, tenant: _, ...settings }: NewServer): Promise<ServerRow> {
      mayRun(settings)
      const row = await insertServer(sql, input({ id: newId(), tenant, name }, settings))
      if (row !== null) return row
      throw new SluiceError(
        409,
        'exists',
        `There is an MCP server ${name} already, or no tenant ${tenant}: PATCH /api/mcp/servers/${name} changes a server`,
      )
    },

    /** Replaces everything; env and headers stay where `given` does not name them, as nobody can read them back. */
    async replace(row: ServerRow, settings: Settings, given: readonly string[]): Promise<ServerRow> {
      const secrets = secretsOf(row)
      const { transport } = settings
      return await save(row, {
        ...settings,
        url: unhidden(settings.url, secrets),
        args: wholeArgs(settings.args, secrets),
        env: given.includes('env') || transport !== 'stdio' ? settings.env : secrets.env,
        headers: given.includes('headers') || transport === 'stdio' ? settings.headers : secrets.headers,
      })
    },

    async change(row: ServerRow, patch: Patch): Promise<ServerRow> {
      const secrets = secretsOf(row)
      const { env_names: _, header_names: __, ...spec } = readSpec(row)
      const merged = {
        ...{ ...spec, url: secrets.url ?? spec.url, args: secrets.args ?? spec.args },
        ...{ enabled: row.enabled, transport: row.transport },
        ...patch,
        env: merge(secrets.env, patch.env),
        headers: merge(secrets.headers, patch.headers),
        tools: merge(spec.tools, patch.tools),
      }
      const settings = checkBody(merged, serverBody)
      return await save(row, {
        ...settings,
        url: unhidden(settings.url, secrets),
        args: wholeArgs(settings.args, secrets),
      })
    },

    remove: (id: string) => deleteServer(sql, id),
  }

  async function save(row: ServerRow, settings: Settings): Promise<ServerRow> {
    mayRun(settings)
    const saved = await updateServer(sql, input(row, settings))
    if (saved === null) throw new SluiceError(404, 'not-found', `The MCP server ${row.name} is gone`)
    return saved
  }

  /** @throws SluiceError 422 where this gateway must not start it, or not speak to it */
  function mayRun({ transport, url, spy }: Settings): void {
    if (transport === 'stdio' && !allowStdio)
      throw new SluiceError(
        422,
        'stdio-off',
        'Commands are not started on this gateway: the operator may allow that with MCP_STDIO',
      )
    if (url !== null && !spy) checkedUrl(url.replace(/^ws(s?):/i, 'http$1:'), allowPrivate)
  }

  function input(row: { id: string; tenant: string | null; name: string }, all: Settings): ServerInput {
    const { enabled, transport, env, headers, url, args, ...rest } = all
    const shown = url === null ? null : shownUrl(url)
    const spec: ServerSpec = {
      ...{ ...rest, url: shown, args: shownArgs(args) },
      ...{ env_names: Object.keys(env).sort(), header_names: Object.keys(headers).sort() },
    }
    const secrets: Secrets = { env, headers, url, args }
    const { id, tenant, name } = row
    return { id, tenant, name, enabled, transport, spec, sealed: sealSecrets(vault, id, secrets) }
  }

  function secretsOf(row: ServerRow): Secrets {
    try {
      return openSecrets(vault, row.id, row.sealed)
    } catch {
      // Sealed with another secret: whoever changes the server gives them anew.
      return noSecrets
    }
  }
}

type Patch = ReturnType<typeof serverPatch.parse>

/** @throws SluiceError 409 where a newer version wrote it */
export function readSpec(row: ServerRow): ServerSpec {
  const spec = serverSpec.safeParse(row.spec)
  if (spec.success) return spec.data
  throw new SluiceError(409, 'not-readable', `The MCP server ${row.name} was written by another version`)
}

/** What was shown comes back as it is meant. @throws InputError 422 where nobody knows any more what that is */
function unhidden(given: string | null, { url }: Secrets): string | null {
  if (given === null || !given.includes(hidden)) return given
  if (url !== null && shownUrl(url) === given) return url
  throw new InputError(422, 'bad-body', [{ pointer: '/url', detail: `must be whole, without ${hidden}` }])
}

/** Each as it was stored where it stands as it was shown. @throws InputError 422 as `unhidden` */
function wholeArgs(given: readonly string[], { args }: Secrets): string[] {
  const shown = shownArgs(args ?? [])
  return given.map((arg, at) => {
    if (!arg.includes(hidden) || args?.[at] === arg) return arg
    // Elsewhere than it was, it must be the only one that is shown so.
    const from = shown[at] === arg || shown.indexOf(arg) !== shown.lastIndexOf(arg) ? at : shown.indexOf(arg)
    const whole = shown[from] === arg ? args?.[from] : undefined
    if (whole !== undefined) return whole
    throw new InputError(422, 'bad-body', [
      { pointer: `/args/${at}`, detail: `must be whole, without ${hidden}` },
    ])
  })
}

function merge(old: Record<string, unknown>, change: Record<string, unknown> = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries({ ...old, ...change }).filter(([, value]) => value !== null))
}
