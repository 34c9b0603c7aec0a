import { hash } from 'node:crypto'

export type Naming = {
  /** Stands before the name, as in `prefix__name`; empty: nothing. */
  prefix: string
  /** As its server has it. */
  name: string
  /** What tells it from all others for ever, as in `<server id>/<name>`. */
  identity: string
}

const separator = '__'
const hashLength = 6

/**
 * A name for each, in the same order, all different: `prefix__name`, or the plain name where there is no prefix. Who
 * comes first keeps what two want. A name that is too long or taken is made from the beginning of the prefix, a hash
 * and the end of the name, which says more than its beginning (C8). It rests on the identity alone, so that every
 * gateway makes the same.
 */
export function assignNames(all: readonly Naming[], taken: Iterable<string>, maxLength: number): Named[] {
  const used = new Set(taken)
  return all.map((one) => {
    const whole = one.prefix === '' ? one.name : `${one.prefix}${separator}${one.name}`
    const plain = whole.length <= maxLength && !used.has(whole)
    const name = plain ? whole : shortName(one, maxLength)
    used.add(name)
    return { name, plain }
  })
}

/** `plain`: nothing had to be changed. */
export type Named = { name: string; plain: boolean }

export function shortName({ prefix, name, identity }: Naming, maxLength: number): string {
  const digest = hash('sha256', identity, 'hex').slice(0, hashLength)
  const head = prefix.slice(0, Math.max(0, Math.floor((maxLength - hashLength) / 3) - separator.length))
  const start = head === '' ? `${digest}_` : `${head}${separator}${digest}_`
  // Half of a character that takes two would be no text.
  const tail = name.slice(-(maxLength - start.length)).replace(/^[\uDC00-\uDFFF]/, '')
  return `${start}${tail}`
}
