import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'
import type { BoardView, QueueView } from './api.ts'
import { sessionOver, useSession } from './session.ts'
import { openStream, type StreamNews } from './stream.ts'

type Watched = { board: BoardView | null; connected: boolean }

const BoardContext = createContext<Watched>({ board: null, connected: false })

/** What the gateway pushes, for all that this tab shows. */
export function LiveBoard({ children }: { children: ReactNode }) {
  const [watched, setWatched] = useState<Watched>({ board: null, connected: false })
  const { me, leave } = useSession()
  const who = me.key_id ?? 'admin'

  useEffect(() => {
    const listen = (news: StreamNews) => {
      if (news.type === 'board') setWatched({ board: JSON.parse(news.json), connected: true })
      else setWatched((before) => ({ ...before, connected: false }))
      if (news.type === 'over') leave(sessionOver)
    }
    return shared(who, listen) ?? openStream(listen)
  }, [who, leave])

  return <BoardContext value={watched}>{children}</BoardContext>
}

/** The stream that all tabs of this key share; null where the browser knows no such thing, as on some phones. */
function shared(who: string, listen: (news: StreamNews) => void): (() => void) | null {
  const script = document.documentElement.dataset.live
  if (typeof SharedWorker === 'undefined' || script === undefined) return null
  const { port } = new SharedWorker(script, { type: 'module', name: who })
  port.onmessage = ({ data }) => listen(data)
  const leave = () => port.postMessage('bye')
  addEventListener('pagehide', leave)
  return () => {
    removeEventListener('pagehide', leave)
    leave()
  }
}

export function useBoard(): Watched {
  return useContext(BoardContext)
}

export function useQueue(name: string): QueueView | undefined {
  return useBoard().board?.queues.find((queue) => queue.name === name)
}
