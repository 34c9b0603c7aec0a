import { type ReactNode, useCallback, useEffect, useMemo, useState } from 'react'
import { api } from './data/api.ts'
import { LiveBoard } from './data/board.tsx'
import { hrefOf, usePlace } from './data/place.ts'
import { type Me, SessionContext } from './data/session.ts'
import { AlertsPage } from './pages/alerts.tsx'
import { AuditPage } from './pages/audit.tsx'
import { DeadLettersPage } from './pages/dead-letters.tsx'
import { EngineJobPage } from './pages/engine-job.tsx'
import { JobPage } from './pages/job.tsx'
import { JobsPage } from './pages/jobs.tsx'
import { LoginPage } from './pages/login.tsx'
import { OverviewPage } from './pages/overview.tsx'
import { QueuePage } from './pages/queue.tsx'
import { SchedulesPage } from './pages/schedules.tsx'
import { Empty, Failure } from './ui/bits.tsx'
import { Frame } from './ui/frame.tsx'
import { Help } from './ui/help.tsx'
import { Link } from './ui/link.tsx'
import { Notices } from './ui/notices.tsx'

const prolongEveryMs = 5 * 60_000

/** Who is there, and then the page that the address names. */
export function App() {
  const [me, setMe] = useState<Me | null>(null)
  const [failure, setFailure] = useState<Error | null>(null)
  const [note, setNote] = useState<string | null>(null)

  const look = useCallback(() => {
    setFailure(null)
    void api.me().then(setMe, setFailure)
  }, [])
  useEffect(() => {
    look()
    // A session goes on while its page is looked at.
    const timer = setInterval(() => document.visibilityState === 'visible' && look(), prolongEveryMs)
    return () => clearInterval(timer)
  }, [look])

  const leave = useCallback((why: string | null) => {
    setNote(why)
    setMe((before) => (before === null ? null : { ...before, signed_in: false }))
  }, [])
  const session = useMemo(() => (me === null ? null : { me, leave }), [me, leave])

  if (me === null) {
    if (failure === null) return null
    return (
      <Alone>
        <Failure error={failure} retry={look} />
      </Alone>
    )
  }
  if (!me.signed_in) return <LoginPage note={note} onLogin={setMe} />
  if (!me.scopes.some((scope) => scope === 'read' || scope === 'admin')) {
    return (
      <Alone>
        <Failure error={new Error('This key lacks the scope read')} />
        <button type="button" onClick={() => void api.logout().then(() => leave(null), setFailure)}>
          Use another key
        </button>
        {failure !== null && <Failure error={failure} />}
      </Alone>
    )
  }
  return (
    <SessionContext value={session}>
      <Notices>
        <LiveBoard>
          <Frame>
            <Page />
          </Frame>
          <Help />
        </LiveBoard>
      </Notices>
    </SessionContext>
  )
}

function Alone({ children }: { children: ReactNode }) {
  return (
    <main className="login">
      <div className="alone">{children}</div>
    </main>
  )
}

function Page() {
  const { parts } = usePlace()
  const [page, first, second] = parts
  if (page === 'q' && first !== undefined && second !== undefined) {
    return <EngineJobPage key={second} queue={first} id={second} />
  }
  if (page === 'q' && first !== undefined) return <QueuePage key={first} name={first} />
  if (page === 'jobs' && first !== undefined) return <JobPage key={first} id={first} />
  if (page === 'jobs') return <JobsPage />
  if (page === 'dead') return <DeadLettersPage />
  if (page === 'schedules') return <SchedulesPage />
  if (page === 'alerts') return <AlertsPage />
  if (page === 'audit') return <AuditPage />
  if (page === undefined || page === 'q') return <OverviewPage />
  return (
    <Empty title="There is no such page">
      <Link href={hrefOf([])}>All queues</Link>
    </Empty>
  )
}
