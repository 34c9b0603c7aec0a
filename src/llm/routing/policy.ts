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
  const local = candidates.filter(({ provider }) => isLocal(provider))
  if (mayHave(policy, sensitivity)) return [...local, ...candidates.filter((one) => !local.includes(one))]
  if (local.length > 0) return local
  throw new SluiceError(
    403,
    'kept-local',
    `The call is ${wordOf(sensitivity)}: the policy ${policy} keeps it on own machines, and no candidate of the route is on one`,
  )
}

/** May others than own machines have such a call? */
export function mayHave(policy: Policy, sensitivity: Fact | undefined): boolean {
  return mayLeave[policy].includes(wordOf(sensitivity))
}

function wordOf(sensitivity: Fact | undefined): string {
  return sensitivity?.values[0] ?? 'critical'
}
