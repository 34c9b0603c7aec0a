import { InputError } from '#lib/errors'
import type { Kind } from './kind.ts'
import { nearest } from './nearest.ts'

export type Registry = {
  kinds: readonly Kind[]
  find(name: string): Kind | undefined
  /** @throws InputError 422 `unknown-kind` with the names that come near */
  get(name: string): Kind
}

/** The kinds that a process knows. @throws Error where two share a name */
export function openRegistry(kinds: readonly Kind[]): Registry {
  const byName = new Map(kinds.map((kind) => [kind.name, kind]))
  if (byName.size < kinds.length) throw new Error('jobs: two kinds share a name')
  return {
    kinds,
    find: (name) => byName.get(name),
    get(name) {
      const found = byName.get(name)
      if (found !== undefined) return found
      const near = nearest(name, [...byName.keys()])
      const hint =
        near.length > 0 ? `did you mean ${near.join(' or ')}?` : `there are ${[...byName.keys()].join(', ')}`
      const detail = `there is no kind ${name.slice(0, 64)}: ${hint}`
      throw new InputError(422, 'unknown-kind', [{ pointer: '/kind', detail }])
    },
  }
}
