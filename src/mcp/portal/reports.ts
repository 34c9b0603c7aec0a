import { isoTime } from '#lib/clock'
import type { Reports, ServerReport, ToolReport } from '../servers/report.ts'
import type { Server } from '../servers/server.ts'
import type { Servers } from '../servers/servers.ts'
import { stringOf } from '../wire/raw-json.ts'
import type { Listed } from './catalogue.ts'
import type { Source } from './source.ts'
import type { Sources } from './sources.ts'
import { changesNothing } from './view.ts'

/** How servers are doing, for the API and for `portal_list_servers`. */
export function reportsOf(sources: Sources, servers: Servers): Reports {
  return {
    report: (id) => reportOf(id),
    tools(id) {
      const source = sources.get(id)
      return (source?.catalogue()?.lists.tools ?? []).flatMap((tool) =>
        source === null ? [] : [toolReportOf(tool, source.server)],
      )
    },
    async refresh(id, signal) {
      const source = sources.get(id)
      const given = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      if (source !== null) await Promise.race([source.refresh(), given])
      return reportOf(id)
    },
  }

  function reportOf(id: string): ServerReport | null {
    const source = sources.get(id)
    if (source !== null) return ofSource(source)
    const server = servers.all().find((one) => one.id === id)
    return server === undefined ? null : ofRow(server)
  }
}

function ofSource(source: Source): ServerReport {
  const { status, reason, next_try_at, tries, pid, connected_at } = source.upstream.state()
  const known = source.catalogue()
  return {
    ...{ status, reason: source.problem() ?? reason, tries, pid },
    next_try_at: next_try_at === null ? null : isoTime(next_try_at),
    connected_at: connected_at === null ? null : isoTime(connected_at),
    era: known?.facts.era ?? null,
    protocol_version: known?.facts.protocolVersion ?? null,
    server_info: known === null ? null : parsed(known.facts.serverInfo),
    listed_at: known === null ? null : isoTime(known.at),
    tools: known?.lists.tools.length ?? 0,
    prompts: known?.lists.prompts.length ?? 0,
    resources: known?.lists.resources.length ?? 0,
    templates: known?.lists.templates.length ?? 0,
    left_out: known?.leftOut ?? [],
  }
}

function ofRow({ enabled, spy, problem }: Server): ServerReport {
  return {
    ...{ status: spy && enabled ? 'spy' : 'off', reason: problem, next_try_at: null, tries: 0, pid: null },
    ...{ connected_at: null, era: null, protocol_version: null, server_info: null, listed_at: null },
    ...{ tools: 0, prompts: 0, resources: 0, templates: 0, left_out: [] },
  }
}

function toolReportOf({ name, json }: Listed, { tools, timeout_ms }: Server): ToolReport {
  return {
    name,
    title: stringOf(json, 'title'),
    description: stringOf(json, 'description'),
    read_only: changesNothing(json),
    enabled: tools[name]?.enabled !== false,
    timeout_ms: tools[name]?.timeout_ms ?? timeout_ms,
  }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return null
  }
}
