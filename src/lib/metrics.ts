/**
 * A registry of numbers, in the terms of Prometheus. Any level may count into it; `processes/` shows it.
 * Ours, as the usual client's default metrics rest on parts of Node that Bun lacks, and 100 lines are enough.
 */
export type Metrics = {
  /** A number that only grows. A family asked for twice is the same one. */
  counter(name: string, help: string, labels?: readonly string[]): Counter
  /** A number counted into buckets; `buckets` are upper bounds, rising. */
  histogram(
    name: string,
    help: string,
    options: { labels?: readonly string[]; buckets: readonly number[] },
  ): Histogram
  /** A number looked up when somebody asks: `read` must be quick, and must not throw. */
  gauge(name: string, help: string, labels: readonly string[], read: () => Iterable<Reading>): void
  /** As a gauge, for a total that is kept elsewhere. */
  total(name: string, help: string, labels: readonly string[], read: () => Iterable<Reading>): void
  families(): Family[]
}

/** Label values in the order of the labels. */
export type Reading = { labels: readonly string[]; value: number }
export type Counter = { add(labels: readonly string[], by?: number): void }
export type Histogram = {
  observe(labels: readonly string[], value: number): void
  /** What was counted elsewhere: one count a bucket, then what is beyond the last, and the sum of all values. */
  merge(labels: readonly string[], counts: readonly number[], sum: number): void
}

export type Family = {
  name: string
  help: string
  type: 'counter' | 'gauge' | 'histogram'
  samples: Sample[]
}
export type Sample = {
  suffix: '' | '_bucket' | '_sum' | '_count'
  labels: Record<string, string>
  value: number
}

/** Series of one family at most: what comes later is counted under `other`, so that no client can fill memory. */
const seriesLimit = 500

export function openMetrics(): Metrics {
  const families = new Map<
    string,
    { family: Omit<Family, 'samples'>; part: unknown; samples: () => Sample[] }
  >()

  return {
    counter(name, help, labels = []) {
      return register(name, help, 'counter', () => {
        const series = seriesOf(labels, () => ({ value: 0 }))
        const part: Counter = {
          add(values, by = 1) {
            series.at(values).value += by
          },
        }
        return {
          part,
          samples: () => series.all().map(([names, { value }]) => ({ suffix: '', labels: names, value })),
        }
      })
    },
    histogram(name, help, { labels = [], buckets }) {
      return register(name, help, 'histogram', () => {
        const series = seriesOf(labels, () => ({ counts: new Float64Array(buckets.length + 1), sum: 0 }))
        const part: Histogram = {
          observe(values, value) {
            const one = series.at(values)
            one.sum += value
            let at = 0
            while (at < buckets.length && value > (buckets[at] ?? 0)) at++
            one.counts[at] = (one.counts[at] ?? 0) + 1
          },
          merge(values, counts, sum) {
            const one = series.at(values)
            one.sum += sum
            for (const at of one.counts.keys()) one.counts[at] = (one.counts[at] ?? 0) + (counts[at] ?? 0)
          },
        }
        return {
          part,
          samples: () =>
            series.all().flatMap(([names, one]) => bucketSamples(names, one.counts, one.sum, buckets)),
        }
      })
    },
    gauge: (name, help, labels, read) => void register(name, help, 'gauge', () => readings(labels, read)),
    total: (name, help, labels, read) => void register(name, help, 'counter', () => readings(labels, read)),
    families: () => [...families.values()].map(({ family, samples }) => ({ ...family, samples: samples() })),
  }

  function register<Part>(
    name: string,
    help: string,
    type: Family['type'],
    make: () => { part: Part; samples: () => Sample[] },
  ): Part {
    const known = families.get(name)
    if (known !== undefined) {
      if (known.family.type !== type) throw new Error(`metric ${name}: is a ${known.family.type} already`)
      return known.part as Part
    }
    const made = make()
    families.set(name, { family: { name, help, type }, ...made })
    return made.part
  }
}

function readings(labels: readonly string[], read: () => Iterable<Reading>) {
  const samples = (): Sample[] =>
    [...read()].map(({ labels: values, value }) => ({ suffix: '', labels: named(labels, values), value }))
  return { part: undefined, samples }
}

function seriesOf<State>(labels: readonly string[], fresh: () => State) {
  const states = new Map<string, { names: Record<string, string>; state: State }>()
  return {
    at: (values: readonly string[]): State => {
      // One label is the usual case on the hot path, and then is its own key.
      const key = values.length === 1 ? (values[0] ?? '') : values.join('\u0000')
      return states.get(key)?.state ?? add(key, values)
    },
    all: () =>
      [...states.values()].map(({ names, state }): [Record<string, string>, State] => [names, state]),
  }

  function add(key: string, values: readonly string[]): State {
    const full = states.size >= seriesLimit
    const kept = full ? labels.map(() => 'other') : values
    const id = full ? kept.join('\u0000') : key
    const known = states.get(id)
    if (known !== undefined) return known.state
    const state = fresh()
    states.set(id, { names: named(labels, kept), state })
    return state
  }
}

function bucketSamples(
  labels: Record<string, string>,
  counts: Float64Array,
  sum: number,
  buckets: readonly number[],
): Sample[] {
  let below = 0
  const samples: Sample[] = []
  for (const [at, count] of counts.entries()) {
    below += count
    const le = at < buckets.length ? String(buckets[at]) : '+Inf'
    samples.push({ suffix: '_bucket', labels: { ...labels, le }, value: below })
  }
  samples.push({ suffix: '_sum', labels, value: sum }, { suffix: '_count', labels, value: below })
  return samples
}

function named(labels: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(labels.map((label, at) => [label, values[at] ?? '']))
}

/** Text exposition format 0.0.4, which every Prometheus reads. */
export function prometheusText(families: readonly Family[]): string {
  const lines: string[] = []
  for (const { name, help, type, samples } of families) {
    lines.push(
      `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
      `# TYPE ${name} ${type}`,
    )
    for (const { suffix, labels, value } of samples) {
      const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
      lines.push(`${name}${suffix}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${numeral(value)}`)
    }
  }
  return `${lines.join('\n')}\n`
}

function escaped(text: string): string {
  return text.toWellFormed().replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function numeral(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}
