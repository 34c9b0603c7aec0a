import { may, type Principal } from '#access'
import { SluiceError } from '#lib/errors'

/**
 * Whose record a principal sees: one tenant's, or with null everybody's, which is for admins who name none.
 * @throws SluiceError 403 where the tenant is not the principal's own
 */
export function reach(principal: Principal, tenant: string | undefined): string | null {
  if (may(principal, 'admin')) return tenant ?? null
  if (tenant !== undefined && tenant !== principal.tenant) {
    throw new SluiceError(403, 'forbidden', `tenant ${tenant.slice(0, 64)}: this key belongs to another`)
  }
  return principal.tenant
}
