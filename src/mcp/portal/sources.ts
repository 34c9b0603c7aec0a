import { z } from 'zod'
import type { Logger } from '#lib/log'
import { snapshotFile } from '#lib/snapshot'
import type { Server } from '../servers/server.ts'
import type { Servers } from '../servers/servers.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { RawJson } from '../wire/message.ts'
import { catalogue } from './catalogue.ts'
import { openSource, type Source } from './source.ts'
import { openTurns } from './turns.ts'

/** The servers that this gateway speaks to, kept equal to the rows. */
export type Sources = {
  /** By the age of their rows. */
  all(): readonly Source[]
  get(id: string): Source | null
  close(): Promise<void>
}

export type SourcesOptions = {
  servers: Servers
  /** The shared connection of a server; must not connect by itself. */
  upstreams: { get(server: Server): Upstream }
  /** Where it is kept what servers offer, for a start while they are down. */
  catalogueFile: string
  log: Logger
  pollMs?: number | undefined
  onChange(): void
  onResource(source: Source, uri: string, params: RawJson): void
}

const saveMs = 1_000
/** Servers that are asked what they offer at once: each may be a program that has to start. */
const together = { most: 8, longMs: 1_000 }
const savedCatalogues = z.record(z.string(), catalogue)

export async function openSources(options: SourcesOptions): Promise<Sources> {
  const { servers, upstreams, log } = options
  const file = snapshotFile(options.catalogueFile, savedCatalogues, { what: 'what MCP servers offer', log })
  let saved = (await file.read()) ?? {}
  const turns = openTurns(together)
  let sources = new Map<string, Source>()
  let saving: ReturnType<typeof setTimeout> | undefined
  let closed = false
  const ending = new Set<Promise<void>>()
  reconcile()
  const unfollow = servers.onChange(reconcile)

  return {
    all: () => [...sources.values()],
    get: (id) => sources.get(id) ?? null,
    async close() {
      closed = true
      unfollow()
      clearTimeout(saving)
      await save()
      await Promise.all([...sources.values()].map((source) => source.close()))
      await Promise.all(ending)
    },
  }

  function reconcile(): void {
    if (closed) return
    const before = sources
    sources = new Map(
      servers
        .all()
        .filter(isSpokenTo)
        .map((server) => [server.id, at(server, before)]),
    )
    for (const [id, source] of before) {
      if (sources.get(id)?.upstream !== source.upstream) end(source)
    }
    options.onChange()
  }

  function at(server: Server, before: ReadonlyMap<string, Source>): Source {
    const known = before.get(server.id)
    if (known !== undefined && known.server.fingerprint === server.fingerprint) {
      // The connection stays where only a name, a limit or a switch has changed.
      return known.server === server ? known : Object.assign(known, { server })
    }
    const source: Source = openSource({
      ...{ server, upstream: upstreams.get(server), log, turns, pollMs: options.pollMs },
      saved: saved[keyOf(server)] ?? known?.catalogue() ?? null,
      onChange() {
        if (closed) return
        saveSoon()
        options.onChange()
      },
      onResource: (uri, params) => options.onResource(source, uri, params),
    })
    return source
  }

  function end(source: Source): void {
    const found = source.catalogue()
    if (found !== null) saved[keyOf(source.server)] = found
    const done = source.close().catch(() => {})
    ending.add(done)
    void done.then(() => ending.delete(done))
  }

  function saveSoon(): void {
    saving ??= setTimeout(() => {
      saving = undefined
      void save()
    }, saveMs)
    saving.unref()
  }

  async function save(): Promise<void> {
    const all = [...sources.values()].flatMap((source) => {
      const found = source.catalogue()
      return found === null ? [] : [[keyOf(source.server), found] as const]
    })
    // A server that is switched off is not forgotten: it may be switched on again.
    const rows = new Set(servers.all().map(keyOf))
    saved = Object.fromEntries([...Object.entries(saved).filter(([key]) => rows.has(key)), ...all])
    await file.write(saved)
  }
}

function keyOf({ id, fingerprint }: Server): string {
  return `${id} ${fingerprint}`
}

function isSpokenTo({ enabled, problem, spy }: Server): boolean {
  return enabled && problem === null && !spy
}
