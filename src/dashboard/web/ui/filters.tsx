import { useEffect, useRef, useState } from 'react'
import type { RowState } from '../data/api.ts'
import { useQueue } from '../data/board.tsx'
import { useKeys } from '../data/keys.ts'
import { setQuery } from '../data/place.ts'
import { useSession } from '../data/session.ts'
import { Icon } from './icon.tsx'

/** As they are in the address, and as the server takes them. */
export type JobFilters = Partial<
  Record<'state' | 'kind' | 'tenant' | 'tag' | 'q' | 'since' | 'until', string>
>

const names = ['state', 'kind', 'tenant', 'tag', 'q', 'since', 'until'] as const

export function filtersOf(query: URLSearchParams): JobFilters {
  return Object.fromEntries(names.flatMap((name) => (query.get(name) ? [[name, query.get(name) ?? '']] : [])))
}

const states: readonly RowState[] = [
  ...(['queued', 'running', 'failed', 'succeeded', 'scheduled', 'waiting', 'cancelled', 'expired'] as const),
]

export function Filters({ filters }: { filters: JobFilters }) {
  const chosen = new Set(filters.state?.split(',') ?? [])
  const toggle = (state: string) => {
    // A job that the engine has waits still, to a person.
    const words = state === 'queued' ? ['queued', 'admitted'] : [state]
    const after = new Set(chosen)
    for (const word of words) if (!after.delete(word)) after.add(word)
    setQuery({ state: [...after].join(',') })
  }
  return (
    <search className="filters">
      <Search q={filters.q ?? ''} />
      <fieldset className="chips" aria-label="States">
        {states.map((state) => (
          <button
            key={state}
            type="button"
            className={`chip s-${state}`}
            aria-pressed={chosen.has(state)}
            onClick={() => toggle(state)}
          >
            {state}
          </button>
        ))}
      </fieldset>
      <Others filters={filters} />
    </search>
  )
}

/** Searches when the typing rests. */
function Search({ q }: { q: string }) {
  const field = useRef<HTMLInputElement>(null)
  const [text, setText] = useState(q)
  useKeys({ '/': () => field.current?.focus() })
  useEffect(() => setText(q), [q])
  useEffect(() => {
    if (text.trim() === q) return
    const timer = setTimeout(() => setQuery({ q: text.trim() }), 250)
    return () => clearTimeout(timer)
  }, [text, q])
  return (
    <label className="search">
      <Icon name="search" />
      <input
        ref={field}
        type="search"
        value={text}
        aria-label="Search"
        placeholder="Words of input or error, or an id"
        onChange={({ target }) => setText(target.value)}
      />
      <kbd>/</kbd>
    </label>
  )
}

const spans = { '15m': 15, '1h': 60, '24h': 1_440, '7d': 10_080 }

function Others({ filters }: { filters: JobFilters }) {
  const { me } = useSession()
  const kinds = useQueue('jobs')?.kinds.map(({ kind }) => kind) ?? []
  const listed = filters.kind === undefined || kinds.includes(filters.kind) ? kinds : [filters.kind, ...kinds]
  const since = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
  return (
    <div className="others">
      <select
        aria-label="Kind"
        value={filters.kind ?? ''}
        onChange={({ target }) => setQuery({ kind: target.value })}
      >
        <option value="">Any kind</option>
        {listed.map((kind) => (
          <option key={kind}>{kind}</option>
        ))}
      </select>
      <select
        aria-label="Time"
        value={filters.since === undefined ? '' : 'set'}
        onChange={({ target: { value } }) => {
          const minutes = spans[value as keyof typeof spans]
          setQuery({ since: minutes === undefined ? undefined : since(minutes), until: undefined })
        }}
      >
        <option value="">Any time</option>
        {Object.keys(spans).map((span) => (
          <option key={span} value={span}>
            last {span}
          </option>
        ))}
        {filters.since !== undefined && (
          <option value="set">since {new Date(filters.since).toLocaleString()}</option>
        )}
      </select>
      {me.scopes.includes('admin') && <Word name="tenant" value={filters.tenant} />}
      <Word name="tag" value={filters.tag} />
      {Object.keys(filters).length > 0 && (
        <button
          type="button"
          className="plain"
          onClick={() => setQuery(Object.fromEntries(names.map((name) => [name, undefined])))}
        >
          Clear
        </button>
      )}
    </div>
  )
}

function Word({ name, value = '' }: { name: 'tenant' | 'tag'; value?: string | undefined }) {
  return (
    <input
      key={value}
      aria-label={name}
      placeholder={name}
      defaultValue={value}
      onKeyDown={({ key, currentTarget }) =>
        key === 'Enter' && setQuery({ [name]: currentTarget.value.trim() })
      }
      onBlur={({ target }) => target.value.trim() !== value && setQuery({ [name]: target.value.trim() })}
    />
  )
}
