import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'
import type { BoardView, QueueView } from './api.ts'
import { useSession } from './session.ts'

type Watched = { board: BoardView | null; connected: boolean }

const BoardContext = createContext<Watched>({ board: null, connected: false })

/** One stream for all that this tab shows; the server looks once for all tabs. */
export function LiveBoard({ children }: { children: ReactNode }) {
  const [watched, setWatched] = useState<Watched>({ board: null, connected: false })
  const { leave } = useSession()

  useEffect(() => {
    let source: EventSource | null = null
    let timer: ReturnType<typeof setTimeout> | undefined
    const connect = () => {
      source = new EventSource('/api/queues/live')
      source.addEventListener('board', ({ data }) => setWatched({ board: JSON.parse(data), connected: true }))
      source.addEventListener('closed', ({ data }) => {
        if (/unauthenticated|key-/.test(JSON.parse(data).reason)) leave()
      })
      source.onerror = () => {
        setWatched((before) => ({ ...before, connected: false }))
        // A browser gives up after an answer that is no stream, such as that of a gateway that starts.
        if (source?.readyState === EventSource.CLOSED) timer = setTimeout(connect, 3_000)
      }
    }
    connect()
    return () => {
      clearTimeout(timer)
      source?.close()
    }
  }, [leave])

  return <BoardContext value={watched}>{children}</BoardContext>
}

export function useBoard(): Watched {
  return useContext(BoardContext)
}

export function useQueue(name: string): QueueView | undefined {
  return useBoard().board?.queues.find((queue) => queue.name === name)
}
