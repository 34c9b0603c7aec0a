import { createContext, useContext } from 'react'
import type { Me } from './api.ts'

export type { Me }

/** Back to the login, which says why. */
export type Leave = (why: string | null) => void

export const sessionOver = 'The session is over: log in again.'

export const SessionContext = createContext<{ me: Me; leave: Leave } | null>(null)

export function useSession() {
  const session = useContext(SessionContext)
  if (session === null) throw new Error('a page outside of a session')
  return session
}

/** May this session act on jobs? */
export function useOperator(): boolean {
  const { me } = useSession()
  return me.scopes.includes('operator') || me.scopes.includes('admin')
}

/** May it submit jobs, and run or cancel them? An operator's key need not. */
export function useCaller(): boolean {
  const { me } = useSession()
  return me.scopes.includes('call') || me.scopes.includes('admin')
}

/** May it act on whole queues, which carry the jobs of all tenants? */
export function useHouseOperator(): boolean {
  const { me } = useSession()
  return useOperator() && (me.tenant === 'default' || me.scopes.includes('admin'))
}
