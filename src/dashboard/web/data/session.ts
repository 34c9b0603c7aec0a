import { createContext, useContext } from 'react'
import type { Me } from './api.ts'

export type { Me }

export const SessionContext = createContext<{ me: Me; leave: () => void } | null>(null)

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

/** May it act on whole queues, which carry the jobs of all tenants? */
export function useHouseOperator(): boolean {
  const { me } = useSession()
  return useOperator() && (me.tenant === 'default' || me.scopes.includes('admin'))
}
