import { SluiceError } from '#lib/errors'
import type { Fact } from './facts.ts'
import type { policies } from './route.ts'

export type Policy = (typeof policies)[number]

/** What may leave the operator's own machines. */
const mayLeave: Record<Policy, readonly string[]> = {
  default_local_first: ['public', 'internal'],
  enterprise_residency: ['public'],
  compliance_local_only: [],
}

/**
 * Those that may have a call, on own machines first, else in the order that they are in. Of what nobody knows, it is
 * taken to be critical.
 * @throws SluiceError 403 `kept-local` where there are none
 */
export function underPolicy<Candidate extends { provider: string }>(
  candidates: readonly Candidate[],
  {
    policy,
    sensitivity,
    isLocal,
  }: { policy: Policy; sensitivity: Fact | undefined; isLocal: (provider: string) => boolean },
): Candidate[] {
  const [word = 'critical'] = sensitivity?.values ?? []
  const local = candidates.filter(({ provider }) => isLocal(provider))
  if (mayLeave[policy].includes(word)) return [...local, ...candidates.filter((one) => !local.includes(one))]
  if (local.length > 0) return local
  throw new SluiceError(
    403,
    'kept-local',
    `The call is ${word}: the policy ${policy} keeps it on own machines, and no candidate of the route is on one`,
  )
}
