import type { Principal } from '#access'
import type { LlmProxy } from '../proxy.ts'
import { namedTarget, nativeTarget, pathOf } from '../target.ts'
import type { Send } from './adapter.ts'

/** Calls that the gateway makes itself, for somebody who was authorised before: through its own proxy, by its rules. */
export type OwnCalls = (principal: Principal) => Send

/** The providers see the gateway's keys; record, budgets and limits see who it was for. */
export function ownCalls(proxy: Pick<LlmProxy, 'handle'>): OwnCalls {
  return (principal) => (request) => {
    const path = pathOf(request.url)
    const target = path.startsWith('/p/') ? namedTarget(path) : nativeTarget(path, request.headers)
    return proxy.handle(request, { ...target, caller: { principal, passThrough: false } }, null)
  }
}
