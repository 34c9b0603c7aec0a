import { createContext, type ReactNode, useCallback, useContext, useState } from 'react'

type Notice = { id: number; text: string; bad: boolean }

/** Does something, and says how it went. @returns whether it went well */
export type Act = (done: string, work: () => Promise<unknown>) => Promise<boolean>

const NoticeContext = createContext<Act>(async () => false)

export function useAct(): Act {
  return useContext(NoticeContext)
}

const shownForMs = 5_000
let last = 0

export function Notices({ children }: { children: ReactNode }) {
  const [notices, setNotices] = useState<Notice[]>([])

  const say = useCallback((text: string, bad: boolean) => {
    const id = ++last
    setNotices((before) => [...before.slice(-3), { id, text, bad }])
    setTimeout(() => setNotices((before) => before.filter((one) => one.id !== id)), shownForMs)
  }, [])
  const act = useCallback<Act>(
    async (done, work) => {
      try {
        await work()
        say(done, false)
        return true
      } catch (error) {
        say(error instanceof Error ? error.message : String(error), true)
        return false
      }
    },
    [say],
  )

  return (
    <NoticeContext value={act}>
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
