import { join } from 'node:path'
import type { Sql } from 'postgres'
import type { z } from 'zod'
import type { Principal } from '#access'
import { SluiceError } from '#lib/errors'
import { newId } from '#lib/ids'
import type { Vault } from '#lib/vault'
import type { AdapterFactory } from '../adapters/factory.ts'
import type { OwnCalls } from '../adapters/own-calls.ts'
import type { Providers } from '../providers/provider.ts'
import { keyContext } from '../routing/routing.ts'
import { writeResults } from './files.ts'
import { defaultModels, splitModel } from './models.ts'
import { type Progress, perform } from './perform.ts'
import { deleteNamedKey, readSettings, replaceKey, writeFolder, writeModels } from './queries.ts'
import {
  type ConfigView,
  type keyView,
  limits,
  type modelView,
  type Outcome,
  type SendBody,
} from './shapes.ts'

/** Many models, one prompt: the eight operations. Who may use which is for the caller to check. */
export type Orchestra = {
  /** Those that could be asked, those that are set first. */
  listModels(principal: Principal): Promise<z.infer<typeof modelView>[]>
  /** Whom `send` asks by default, for all of the tenant; null: the default ones. */
  setModels(principal: Principal, models: string[] | null): Promise<ConfigView>
  getConfig(principal: Principal): Promise<ConfigView>
  /** Where answers are written beside being returned; null: nowhere. */
  setOutput(principal: Principal, folder: string | null): Promise<ConfigView>
  send(principal: Principal, body: SendBody, options: SendOptions): Promise<Outcome>
  /** @throws SluiceError 404 where there is no such provider */
  setKey(provider: string, key: string): Promise<void>
  /** Which there are; never what they are. */
  listKeys(): z.infer<typeof keyView>[]
  /** The one that `setKey` set. @throws SluiceError 404 */
  deleteKey(provider: string): Promise<void>
}

export type SendOptions = { signal: AbortSignal; onProgress?: (progress: Progress) => void }

export type OrchestraOptions = {
  sql: Sql
  adapters: AdapterFactory
  calls: OwnCalls<Principal>
  providers: Providers
  vault: Vault
  /** Resolves when changed keys are in force here. */
  refresh: () => Promise<void>
  /** `DATA_DIR/orchestra` */
  folder: string
}

const keyName = 'orchestra'

export function openOrchestra(options: OrchestraOptions): Orchestra {
  const { sql, adapters, calls, providers, vault } = options

  return {
    async listModels({ tenant }) {
      const { models } = await readSettings(sql, tenant)
      const selected = models ?? defaultModels
      return [...new Set([...selected, ...defaultModels])].map((model) => {
        const problems = adapters.validate(splitModel(model)).map(({ detail }) => detail)
        const { provider } = splitModel(model)
        return { model, provider, selected: selected.includes(model), ready: problems.length === 0, problems }
      })
    },
    async setModels(principal, models) {
      await writeModels(sql, principal.tenant, models)
      return await config(principal)
    },
    getConfig: config,
    async setOutput(principal, folder) {
      await writeFolder(sql, principal.tenant, folder)
      return await config(principal)
    },
    send,
    async setKey(provider, key) {
      known(provider)
      const id = newId()
      const sealed = vault.seal(key, keyContext(provider, id))
      await replaceKey(sql, { id, provider, name: keyName, last4: key.slice(-4), sealed })
      await options.refresh().catch(() => {})
    },
    listKeys: () =>
      providers.names().flatMap((provider) =>
        (providers.find(provider)?.keys.keys ?? []).map(({ id, name, source }) => ({
          id,
          provider,
          name,
          source,
        })),
      ),
    async deleteKey(provider) {
      if (!(await deleteNamedKey(sql, provider, keyName)))
        throw notFound(`key of ${known(provider)} that was set here`)
      await options.refresh().catch(() => {})
    },
  }

  async function config({ tenant }: Principal): Promise<ConfigView> {
    const { models, folder } = await readSettings(sql, tenant)
    return { models: models ?? [...defaultModels], are_default: models === null, folder, limits }
  }

  async function send(
    principal: Principal,
    body: SendBody,
    { signal, onProgress }: SendOptions,
  ): Promise<Outcome> {
    const { models, folder } = await readSettings(sql, principal.tenant)
    const dir = folder === null ? null : join(options.folder, principal.tenant, folder)
    const writes = dir !== null && principal.capture === 'full'
    const done = await perform(body, {
      ...{ adapters, send: calls(principal), signal, onProgress },
      models: body.models ?? models ?? defaultModels,
      ...(writes ? { keep: (id, results) => writeResults(dir, { id, results }) } : {}),
    })
    if (dir === null || writes) return done
    return { ...done, warnings: [...done.warnings, 'No files: this key records no content'] }
  }

  function known(provider: string): string {
    if (providers.find(provider) === null) throw notFound(`provider ${JSON.stringify(provider.slice(0, 64))}`)
    return provider
  }
}

function notFound(what: string): SluiceError {
  return new SluiceError(404, 'not-found', `There is no ${what}`)
}
