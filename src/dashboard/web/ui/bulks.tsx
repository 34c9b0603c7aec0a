import { useEffect } from 'react'
import { api, type BulkVerb, type BulkView } from '../data/api.ts'
import { useBoard } from '../data/board.tsx'
import { count } from '../data/format.ts'
import { useLoad } from '../data/use-load.ts'
import { useAct } from './notices.tsx'

/** What is being done to all jobs of a filter, while it is; `turn` changes when one was begun. */
export function Bulks({ turn, operator }: { turn: number; operator: boolean }) {
  const { board } = useBoard()
  const { value, reload } = useLoad(`bulks ${turn}`, (signal) => api.bulks({ signal }))
  const open = (value?.items ?? []).filter(({ state }) => state === 'running' || state === 'paused')
  const moving = open.some(({ state }) => state === 'running')
  const at = board?.at

  // biome-ignore lint/correctness/useExhaustiveDependencies: with each push it has gone on
  useEffect(() => {
    if (moving) reload()
  }, [at, moving, reload])

  if (open.length === 0) return null
  return (
    <ul className="bulks" aria-label="Under way">
      {open.map((bulk) => (
        <Bulk key={bulk.id} bulk={bulk} operator={operator} onDone={reload} />
      ))}
    </ul>
  )
}

const doing: Record<BulkVerb, string> = { retry: 'Retrying', cancel: 'Cancelling', remove: 'Removing' }

function Bulk({ bulk, operator, onDone }: { bulk: BulkView; operator: boolean; onDone: () => void }) {
  const act = useAct()
  const { id, action, state, changed, total, progress, per_second } = bulk
  const move = async (done: string, what: 'pause' | 'resume' | 'cancel') => {
    if (await act(done, () => api.moveBulk(id, what))) onDone()
  }
  return (
    <li>
      <b>{doing[action]}</b>
      <progress value={progress} max={1} />
      <span>
        {count(changed)} of {count(total)}, {per_second} a second {state === 'paused' && '(paused)'}
      </span>
      {operator && (
        <span className="actions">
          <button
            type="button"
            className="small"
            onClick={() =>
              void (state === 'paused' ? move('It goes on', 'resume') : move('It is paused', 'pause'))
            }
          >
            {state === 'paused' ? 'Resume' : 'Pause'}
          </button>
          <button type="button" className="small danger" onClick={() => void move('It is ended', 'cancel')}>
            End
          </button>
        </span>
      )}
    </li>
  )
}
