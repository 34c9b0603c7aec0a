import type { Route } from './route.ts'

/** What rules are tried on. */
export type CallShape = {
  /** Of the client; null: nobody can read the call, and no rule is about it. */
  dialect: string | null
  tenant: string
  keyId: string | null
  tags: readonly string[]
  headers: Headers
  /** Null: not known yet, as it is streamed without a length. */
  bytes: number | null
  /** Undefined: not looked at yet; it counts as any. */
  model: string | null | undefined
}

/** The first of the conditions that does not hold. */
export type Mismatch =
  | 'dialect'
  | 'tenant'
  | 'key'
  | 'tag'
  | 'header'
  | 'size'
  | 'model'
  | 'classification'
  | 'sensitivity'

export type Rule = Route & {
  /** Null where it matches. */
  mismatch(shape: CallShape): Mismatch | null
}

/** Makes a rule of a route, its patterns ready. The cheapest conditions come first. */
export function ruleOf(route: Route): Rule {
  const { match } = route.spec
  const dialects = setOf(match.dialects)
  const tenants = setOf(match.tenants)
  const keys = setOf(match.keys)
  const models = match.models === undefined ? null : globs(match.models)
  const headers = Object.entries(match.headers ?? {}).map(
    ([name, pattern]) => [name, globs([pattern])] as const,
  )
  const classes = Object.entries(match.classes ?? {})
  const sensitivities = setOf(match.sensitivity)
  const { tags = [], min_bytes: least, max_bytes: most } = match

  return { ...route, mismatch }

  function mismatch(shape: CallShape): Mismatch | null {
    if (dialects !== null && !dialects.has(shape.dialect)) return 'dialect'
    if (tenants !== null && !tenants.has(shape.tenant)) return 'tenant'
    if (keys !== null && !keys.has(shape.keyId)) return 'key'
    for (const tag of tags) if (!shape.tags.includes(tag)) return 'tag'
    if (least !== undefined && shape.bytes !== null && shape.bytes < least) return 'size'
    if (most !== undefined && shape.bytes !== null && shape.bytes > most) return 'size'
    if (models !== null && shape.model !== undefined && !models(shape.model)) return 'model'
    for (const [name, pattern] of headers) if (!pattern(shape.headers.get(name))) return 'header'
    if (sensitivities !== null && !sensitivities.has(shape.headers.get('sluice-sensitivity')))
      return 'sensitivity'
    if (classes.length > 0) {
      const said = classesOf(shape.headers)
      for (const [name, wanted] of classes)
        if (!wanted.includes(said.get(name) ?? '')) return 'classification'
    }
    return null
  }
}

/** As in `sluice-class: task_type=code, complexity=low`. */
function classesOf(headers: Headers): Map<string, string> {
  const pairs = (headers.get('sluice-class') ?? '').split(',').map((pair) => pair.split('='))
  return new Map(pairs.map(([name = '', value = '']) => [name.trim(), value.trim()]))
}

function setOf(words: readonly string[] | undefined): ReadonlySet<string | null> | null {
  return words === undefined ? null : new Set(words)
}

/** Does one of the patterns fit? `*` alone fits what is missing too. */
export function globs(patterns: readonly string[]): (text: string | null) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')))
  const wild = patterns.filter((pattern) => pattern.includes('*'))
  const any = wild.includes('*')
  const tests = wild.map(
    (pattern) => new RegExp(`^${pattern.split('*').map(RegExp.escape).join('.*')}$`, 's'),
  )
  return (text) => any || (text !== null && (exact.has(text) || tests.some((test) => test.test(text))))
}
