import type { StoredName } from '../servers/servers.ts'
import type { Audience } from './audience.ts'
import type { Entry } from './view.ts'

/** What a name meant that was told once, before names were given anew (C8). */
export function formerly(
  kind: StoredName['kind'],
  exposed: string,
  { tools, prompts, sources }: Audience,
  names: readonly StoredName[],
): Entry | null {
  const known = names.find(
    (one) =>
      one.kind === kind &&
      one.exposed === exposed &&
      sources.some(({ server }) => server.id === one.server_id),
  )
  if (known === undefined) return null
  const same = (entry: Entry) => entry.source?.server.id === known.server_id && entry.name === known.name
  return [...(kind === 'tool' ? tools : prompts).values()].find(same) ?? null
}
