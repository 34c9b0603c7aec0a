import { InputError } from '#lib/errors'
import type { Submission } from './shapes.ts'

/** What an item of a batch depends on: another item, by its index, or a job that is there already. */
export type Need = number | string

export type Flow = {
  /** Items that may be stored, those that others depend on first. */
  order: number[]
  needs: Need[][]
  /** Of items that name what is not there, or that wait for themselves. */
  errors: Map<number, InputError>
}

/** How the items of a batch hang together. `known`: ids of jobs that are there. */
export function planFlow(items: readonly (Submission | null)[], known: ReadonlySet<string>): Flow {
  const errors = new Map<number, InputError>()
  const refs = new Map<string, number>()
  for (const [index, item] of items.entries()) {
    if (item?.ref === undefined) continue
    if (refs.has(item.ref)) errors.set(index, wrong('/ref', `${item.ref} is the ref of another item already`))
    else refs.set(item.ref, index)
  }
  const needs = items.map((item, index) =>
    (item?.depends_on ?? []).flatMap((name, place): Need[] => {
      const need = refs.get(name) ?? (known.has(name) ? name : undefined)
      if (need !== undefined) return [need]
      errors.set(
        index,
        wrong(`/depends_on/${place}`, 'no item of the batch has this ref, and no job this id'),
      )
      return []
    }),
  )
  const order = sorted(needs)
  const placed = new Set(order)
  for (const index of items.keys()) {
    if (placed.has(index) || errors.has(index)) continue
    errors.set(index, wrong('/depends_on', 'goes round in a circle: the item waits for itself'))
  }
  return { order, needs, errors }
}

/** Kahn's: what is left out waits for itself, or for one that does. */
function sorted(needs: readonly Need[][]): number[] {
  const dependants = new Map<number, number[]>()
  const pending = needs.map((list, index) => {
    const others = [...new Set(list.filter((need) => typeof need === 'number'))]
    for (const other of others) {
      const list = dependants.get(other)
      // Not copied each time: of ten thousand items that wait for the same hundred that is minutes.
      if (list === undefined) dependants.set(other, [index])
      else list.push(index)
    }
    return others.length
  })
  const order = [...pending.keys()].filter((index) => pending[index] === 0)
  for (const index of order) {
    for (const next of dependants.get(index) ?? []) {
      const left = (pending[next] ?? 0) - 1
      pending[next] = left
      if (left === 0) order.push(next)
    }
  }
  return order
}

function wrong(pointer: string, detail: string): InputError {
  return new InputError(422, 'bad-flow', [{ pointer, detail }])
}
