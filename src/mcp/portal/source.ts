import { errorText } from '#lib/errors'
import type { Logger } from '#lib/log'
import type { Server } from '../servers/server.ts'
import { UpstreamDownError } from '../upstream/failure.ts'
import type { Upstream, UpstreamEvent } from '../upstream/upstream.ts'
import type { RawJson } from '../wire/message.ts'
import { memberOf } from '../wire/raw-json.ts'
import { type Catalogue, digestOf } from './catalogue.ts'
import { fetchLists } from './fetch-lists.ts'
import type { Turns } from './turns.ts'

/** One server behind the portal: its connection, and what it was last known to offer. */
export type Source = {
  server: Server
  upstream: Upstream
  /** Null: it never said, in this gateway's memory. What a server that is down offered last is kept. */
  catalogue(): Catalogue | null
  /** Why its lists could not be had the last time; null: they could. */
  problem(): string | null
  /** Resolves when the first try to get the lists is over, whatever came of it, or has lasted some seconds. */
  firstTry: Promise<void>
  /** Asks for the lists again. Resolves when that is over, whatever came of it. */
  refresh(): Promise<void>
  close(): Promise<void>
}

export type SourceOptions = {
  server: Server
  upstream: Upstream
  saved: Catalogue | null
  log: Logger
  /** Shared by all: with many servers not all are started at the same moment. */
  turns: Turns
  /** How often a server is asked that does not tell of changes, ms. @default 300_000 */
  pollMs?: number | undefined
  onChange(): void
  onResource(uri: string, params: RawJson): void
}

/** Lists are asked for so often at most: a server that changes them all the time is not asked all the time. */
const paceMs = 300
/** Of a server that does not answer at all, others wait so long. */
const patienceMs = 3_000
const retryMs = { least: 1_000, most: 60_000 }

export function openSource(options: SourceOptions): Source {
  const { server, upstream, saved, log, turns, pollMs = 300_000 } = options
  const ended = new AbortController()
  let known = saved
  let digest = saved === null ? '' : digestOf(saved)
  let problem: string | null = null
  let running: Promise<void> | null = null
  let again: Promise<void> | null = null
  let startedAt = 0
  let failures = 0
  let retry: ReturnType<typeof setTimeout> | undefined
  let wasReady = false
  const silence = upstream.on(hear)
  const firstTry = Promise.race([refresh(), Bun.sleep(patienceMs)])

  return {
    ...{ server, upstream, firstTry, refresh },
    catalogue: () => known,
    problem: () => problem,
    async close() {
      clearTimeout(retry)
      silence()
      ended.abort(new Error('the server was removed'))
      await upstream.close()
    },
  }

  function hear(event: UpstreamEvent): void {
    if (event.kind === 'state') {
      const ready = event.state.status === 'ready'
      // Its lists may have changed while there was no connection. The first time they are being asked for already.
      if (ready && !wasReady && running === null) void refresh()
      wasReady = ready
      return
    }
    if (/^notifications\/(tools|prompts|resources)\/list_changed$/.test(event.method)) void refresh()
    else if (event.method === 'notifications/resources/updated') {
      const uri = uriIn(event.params)
      if (uri !== null) options.onResource(uri, event.params)
    }
  }

  /** One at a time, and at a pace. What is asked for during one is done by one more, which sees all that came before. */
  function refresh(): Promise<void> {
    if (running === null) {
      running = fetchPaced().finally(() => {
        running = null
      })
      return running
    }
    again ??= running.then(() => {
      again = null
      return refresh()
    })
    return again
  }

  async function fetchPaced(): Promise<void> {
    clearTimeout(retry)
    const wait = startedAt + paceMs - Date.now()
    if (wait > 0) await Bun.sleep(wait)
    if (ended.signal.aborted) return
    startedAt = Date.now()
    try {
      const found = await turns(() => fetchLists(upstream, ended.signal))
      take({ ...found, at: Date.now() })
      failures = 0
      pollAfter()
    } catch (error) {
      failed(error)
    }
  }

  function take(found: Catalogue): void {
    const now = digestOf(found)
    known = found
    if (now === digest && problem === null) return
    digest = now
    problem = null
    if (found.leftOut.length > 0)
      log.warn(
        { server: server.name, left_out: found.leftOut },
        'what an MCP server offers is left out in part',
      )
    options.onChange()
  }

  /** Of a server that tells nothing, changes are found by asking; one that is asleep is let sleep. */
  function pollAfter(): void {
    if (known !== null && tellsOfChanges(known.facts.capabilities)) return
    retry = setTimeout(() => {
      if (upstream.state().status === 'ready') void refresh()
      else pollAfter()
    }, pollMs)
    retry.unref()
  }

  function failed(error: unknown): void {
    if (ended.signal.aborted) return
    const reason = errorText(error instanceof UpstreamDownError ? error.reason : error, 500)
    if (problem !== reason) {
      log.warn({ server: server.name, reason }, 'an MCP server did not say what it offers')
      problem = reason
      options.onChange()
    }
    failures += 1
    // A server that is down comes back by itself, and tells; this is for one that is there and does not answer.
    retry = setTimeout(refresh, Math.min(retryMs.most, retryMs.least * 2 ** Math.min(failures, 10)))
    retry.unref()
  }
}

function tellsOfChanges(capabilities: RawJson): boolean {
  return ['tools', 'prompts', 'resources'].every((kind) => {
    const offered = memberOf(capabilities, kind)
    return offered === null || memberOf(offered, 'listChanged') === 'true'
  })
}

function uriIn(params: RawJson): string | null {
  try {
    const { uri } = JSON.parse(params) as { uri?: unknown }
    return typeof uri === 'string' ? uri : null
  } catch {
    return null
  }
}
