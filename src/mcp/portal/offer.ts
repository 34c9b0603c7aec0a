import { memberOf } from '../wire/raw-json.ts'
import type { Audience } from './audience.ts'
import { unreachable } from './missing.ts'
import type { Offer } from './portal.ts'

/** Of each server: some clients cut all of them together after a few thousand. */
const longestInstructions = 2_000

/** All that there can be, as servers come and go while a client stays: it must hear of the first prompt, too (C1). */
const capabilities = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  completions: {},
  logging: {},
}

/** Extensions that need more than passing frames on. */
const notOffered = new Set(['io.modelcontextprotocol/tasks'])

export function offerOf({ sources }: Audience, version: string): Offer {
  const extensions: Record<string, unknown> = {}
  for (const source of sources) {
    const given = memberOf(source.catalogue()?.facts.capabilities ?? '{}', 'extensions')
    for (const [name, settings] of Object.entries(fields(given))) {
      if (!notOffered.has(name)) extensions[name] ??= settings
    }
  }
  const more = Object.keys(extensions).length === 0 ? {} : { extensions }
  return {
    capabilities: JSON.stringify({ ...capabilities, ...more }),
    serverInfo: JSON.stringify({ name: 'sluice', title: 'Sluice', version }),
    instructions: instructions(sources),
  }
}

function instructions(sources: Audience['sources']): string | null {
  const down = unreachable(sources).map(({ server, reason }) => `- ${server}: ${reason}`)
  const parts = [
    'Tools of several MCP servers. search_tools finds one by what it does; call_tool calls it by its name.',
    ...sources.flatMap((source) => {
      const text = source.catalogue()?.facts.instructions?.trim() ?? ''
      return text === '' ? [] : [`# ${source.server.name}\n${text.slice(0, longestInstructions)}`]
    }),
    ...(down.length === 0 ? [] : [`These servers cannot be reached now:\n${down.join('\n')}`]),
  ]
  return parts.join('\n\n')
}

function fields(raw: string | null): Record<string, unknown> {
  if (raw === null || !raw.trimStart().startsWith('{')) return {}
  return JSON.parse(raw) as Record<string, unknown>
}
