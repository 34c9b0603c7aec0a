import { useState } from 'react'
import { api, type BulkVerb } from '../data/api.ts'
import { useCaller } from '../data/session.ts'
import { BulkDialog } from './bulk-dialog.tsx'
import type { JobFilters } from './filters.tsx'
import { useAct } from './notices.tsx'

type SelectionProps = {
  ids: string[]
  /** All that these filters match, instead of the ids; null: the ids. */
  all: JobFilters | null
  total: string
  onAll: (all: boolean) => void
  onDone: () => void
}

const atOnce = 8
const done: Record<BulkVerb, string> = { retry: 'run again', cancel: 'cancelled', remove: 'removed' }

/** What is done to several jobs: those that are marked, or all that the filters match. */
export function Selection({ ids, all, total, onAll, onDone }: SelectionProps) {
  const [verb, setVerb] = useState<BulkVerb | null>(null)
  const act = useAct()
  // Of one job at a time these need more than of many.
  const may = useCaller() || all !== null

  const each = async (what: BulkVerb) => {
    let refused = 0
    const left = [...ids]
    const one = async () => {
      for (let id = left.pop(); id !== undefined; id = left.pop()) {
        await api[what](id).catch(() => {
          refused += 1
        })
      }
    }
    const words = done[what]
    await act(`${ids.length} ${words}`, async () => {
      await Promise.all(Array.from({ length: atOnce }, one))
      if (refused > 0)
        throw new Error(`${refused} of ${ids.length} are not in a state for that; the others are ${words}`)
    })
    onDone()
  }
  const start = (what: BulkVerb) => (all === null ? void each(what) : setVerb(what))

  return (
    <div className="selection" role="toolbar" aria-label="Selected jobs">
      <b>{all === null ? `${ids.length} selected` : `All ${total} that match`}</b>
      <button type="button" className="plain" onClick={() => onAll(all === null)}>
        {all === null ? `Select all ${total} that match` : 'Only those marked'}
      </button>
      <span className="actions">
        {may && (
          <>
            <button type="button" onClick={() => start('retry')}>
              Retry
            </button>
            <button type="button" className="danger" onClick={() => start('cancel')}>
              Cancel jobs
            </button>
          </>
        )}
        <button type="button" className="danger" onClick={() => start('remove')}>
          Remove
        </button>
        <button type="button" className="plain" onClick={onDone}>
          Clear
        </button>
      </span>
      {verb !== null && all !== null && (
        <BulkDialog verb={verb} filters={all} onClose={() => setVerb(null)} onDone={onDone} />
      )}
    </div>
  )
}
