import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from 'react'

type Notice = { id: number; text: string; bad: boolean }

/** Does something, and says how it went. @returns whether it went well */
export type Act = (done: string, work: () => Promise<unknown>) => Promise<boolean>

/** Tells what was done, or what was not. */
export type Say = (text: string, bad?: boolean) => void

const NoticeContext = createContext<{ act: Act; say: Say }>({ act: async () => false, say: () => {} })

export function useAct(): Act {
  return useContext(NoticeContext).act
}

export function useSay(): Say {
  return useContext(NoticeContext).say
}

const shownForMs = 5_000
let last = 0

export function Notices({ children }: { children: ReactNode }) {
  const [notices, setNotices] = useState<Notice[]>([])

  const say = useCallback((text: string, bad = false) => {
    const id = ++last
    setNotices((before) => [...before.slice(-3), { id, text, bad }])
    setTimeout(() => setNotices((before) => before.filter((one) => one.id !== id)), shownForMs)
  }, [])
  const act = useCallback<Act>(
    async (done, work) => {
      try {
        await work()
        say(done)
        return true
      } catch (error) {
        say(error instanceof Error ? error.message : String(error), true)
        return false
      }
    },
    [say],
  )

  const told = useMemo(() => ({ act, say }), [act, say])

  return (
    <NoticeContext value={told}>
      {children}
      <div className="notices" role="status">
        {notices.map(({ id, text, bad }) => (
          <p key={id} className={bad ? 'notice bad' : 'notice'}>
            {text}
          </p>
        ))}
      </div>
    </NoticeContext>
  )
}
