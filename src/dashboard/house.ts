import { type Authorise, may, type Principal } from '#access'
import { SluiceError } from '#lib/errors'

/**
 * Does it belong to those who run the installation? The queues of the system carry the work of all tenants: what is
 * in them, and whether they run, concerns everybody.
 */
export function isOfTheHouse(principal: Principal): boolean {
  return principal.tenant === 'default' || may(principal, 'admin')
}

/** @throws SluiceError 403, as `authorise`, and `other-tenants` for operators of one tenant among others */
export function houseOperator(authorise: Authorise, request: Request): Principal {
  const principal = authorise(request, 'operator')
  if (isOfTheHouse(principal)) return principal
  throw new SluiceError(
    403,
    'other-tenants',
    "This concerns every tenant's jobs: it needs an operator of the tenant default, or an admin",
  )
}
