import type { ReactNode } from 'react'
import type { QueueView } from '../data/api.ts'
import { ago, duration, moment } from '../data/format.ts'

/** A word for a state, with its colour. */
export function Badge({ state, children }: { state: string; children?: ReactNode }) {
  return <span className={`badge s-${state}`}>{children ?? state}</span>
}

export function Time({ iso }: { iso: string | null }) {
  if (iso === null) return <span className="faint">–</span>
  return (
    <time dateTime={iso} title={moment(iso)}>
      {ago(iso)}
    </time>
  )
}

type StatProps = {
  label: string
  children: ReactNode
  note?: ReactNode
  /** A row of its own. */
  all?: boolean
}

export function Stat({ label, children, note, all = false }: StatProps) {
  return (
    <div className={all ? 'stat all' : 'stat'}>
      <dt>{label}</dt>
      <dd>{children}</dd>
      {note !== undefined && <dd className="note">{note}</dd>}
    </div>
  )
}

export function Warnings({ of }: { of: QueueView }) {
  if (of.warnings.length === 0) return null
  return (
    <ul className="warnings">
      {of.warnings.map(({ code, text }) => (
        <li key={code}>{text}</li>
      ))}
    </ul>
  )
}

/** What there is to say instead of a list. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <p>{title}</p>
      {children !== undefined && <p className="faint">{children}</p>}
    </div>
  )
}

export function Failure({ error, retry }: { error: Error; retry?: () => void }) {
  return (
    <div className="failure" role="alert">
      <p>{error.message}</p>
      {retry !== undefined && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  )
}

export function Loading() {
  return <div className="loading" role="status" aria-label="Loading" />
}

/** How long until nothing waits. */
export function drains({ trend, drains_in_s }: QueueView): string {
  if (drains_in_s !== null) return duration(drains_in_s * 1_000)
  return { idle: '–', draining: '–', steady: 'steady', growing: 'growing' }[trend]
}
