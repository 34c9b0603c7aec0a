import { hash } from 'node:crypto'

export type Naming = {
  /** Stands before the name, as in `prefix__name`; empty: nothing. */
  prefix: string
  /** As its server has it. */
  name: string
  /** What tells it from all others for ever, as in `<server>/<name>`. */
  identity: string
}

const separator = '__'
const hashLength = 6
const notPlain = /[^\w.-]/u

export type NameRules = {
  /** Names of others. */
  taken: Iterable<string>
  maxLength: number
  /** Of what the specification allows in names of tools: some clients take no others. */
  plainOnly: boolean
}

/**
 * A name for each, in the same order, all different: `prefix__name`, or the plain name where there is no prefix. Who
 * comes first keeps what two want. A name that is too long, taken or not allowed is made from the beginning of the
 * prefix, a hash and the end of the name, which says more than its beginning (C8). It rests on the identity alone, so
 * that every gateway makes the same.
 */
export function assignNames(all: readonly Naming[], { taken, maxLength, plainOnly }: NameRules): Named[] {
  const used = new Set(taken)
  return all.map((one) => {
    const whole = one.prefix === '' ? one.name : `${one.prefix}${separator}${one.name}`
    const fits = whole.length <= maxLength && !(plainOnly && notPlain.test(whole))
    const plain = fits && !used.has(whole)
    let name = plain ? whole : shortName(one, { maxLength, plainOnly })
    // By chance, or because a server took a name that it saw of another.
    for (let n = 2; used.has(name); n += 1)
      name = shortName({ ...one, identity: `${one.identity} ${n}` }, { maxLength, plainOnly })
    used.add(name)
    return { name, plain }
  })
}

/** `plain`: nothing had to be changed. */
export type Named = { name: string; plain: boolean }

export function shortName({ prefix, name, identity }: Naming, rules: Omit<NameRules, 'taken'>): string {
  const { maxLength, plainOnly } = rules
  const digest = hash('sha256', identity, 'hex').slice(0, hashLength)
  const head = prefix.slice(0, Math.max(0, Math.floor((maxLength - hashLength) / 3) - separator.length))
  const start = head === '' ? `${digest}_` : `${head}${separator}${digest}_`
  // Half of a character that takes two would be no text.
  const tail = name.slice(-(maxLength - start.length)).replace(/^[\uDC00-\uDFFF]/, '')
  if (plainOnly) return start + tail.replace(new RegExp(notPlain, 'gu'), '_')
  return `${start}${tail}`
}
