import { type ReactNode, useEffect } from 'react'
import { api } from '../data/api.ts'
import { useBoard } from '../data/board.tsx'
import { ApiError } from '../data/client.ts'
import { useKeys } from '../data/keys.ts'
import { go, hrefOf, usePlace } from '../data/place.ts'
import { useOperator, useSession } from '../data/session.ts'
import { Icon, type IconName } from './icon.tsx'
import { useKeepFocus } from './keep-focus.ts'
import { Link } from './link.tsx'
import { useAct } from './notices.tsx'

type Item = { part: string; label: string; icon: IconName; operator?: boolean }

const items: readonly Item[] = [
  { part: '', label: 'Queues', icon: 'queues' },
  { part: 'jobs', label: 'Jobs', icon: 'jobs' },
  { part: 'dead', label: 'Dead letters', icon: 'dead' },
  { part: 'schedules', label: 'Schedules', icon: 'clock' },
  { part: 'alerts', label: 'Alerts', icon: 'bell' },
  { part: 'audit', label: 'Audit', icon: 'audit', operator: true },
]

/** What stands around every page. */
export function Frame({ children }: { children: ReactNode }) {
  const { parts } = usePlace()
  const page = useKeepFocus()
  const operator = useOperator()
  const here = parts[0] === 'q' ? '' : (parts[0] ?? '')
  const shown = items.filter((item) => operator || item.operator !== true)
  const label = shown.find(({ part }) => part === here)?.label ?? 'Queues'
  const title = parts.length > 1 ? (parts.at(-1) ?? '') : label

  useEffect(() => {
    document.title = `${title} · Sluice`
  }, [title])
  useKeys(
    Object.fromEntries(shown.map(({ part }, n) => [String(n + 1), () => go(hrefOf(part ? [part] : []))])),
  )

  return (
    <div className="frame">
      <header className="rail">
        <Link className="brand" href={hrefOf([])}>
          <span className="mark" aria-hidden="true" />
          <span>Sluice</span>
        </Link>
        <nav aria-label="Pages">
          {shown.map(({ part, label, icon }) => (
            <Link
              key={part}
              href={hrefOf(part ? [part] : [])}
              aria-current={part === here ? 'page' : undefined}
            >
              <Icon name={icon} />
              <span>{label}</span>
            </Link>
          ))}
        </nav>
        <Foot />
      </header>
      <main ref={page} tabIndex={-1}>
        {children}
      </main>
    </div>
  )
}

function Foot() {
  const { me, leave } = useSession()
  const operator = useOperator()
  const { board, connected } = useBoard()
  const act = useAct()
  const out = () =>
    void act('Logged out', async () => {
      await api.logout().then(
        () => leave(null),
        (error: unknown) => {
          // The cookie is gone all the same.
          if (!(error instanceof ApiError) || error.code !== 'half-ended') throw error
          leave(error.message)
        },
      )
    })
  return (
    <div className="foot">
      <p
        className={connected ? 'live on' : 'live'}
        title={connected ? 'Pushed by the gateway' : 'Connecting'}
      >
        {connected ? 'Live' : board === null ? 'Connecting' : 'Offline'}
        {board !== null && <span className="engine">{board.engine}</span>}
      </p>
      <p className="who">
        {me.key_id === null ? 'Admin key' : me.tenant}
        <span>{operator ? 'Operator' : 'Read only'}</span>
      </p>
      <p className="links">
        <a href="/queues/board/">bull-board</a>
        <button type="button" className="plain" onClick={out}>
          Log out
        </button>
      </p>
    </div>
  )
}
