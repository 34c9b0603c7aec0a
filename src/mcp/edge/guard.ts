import { isLoopback, isLoopbackName, knownHosts } from '#lib/known-hosts'
import { invalidRequest } from './refusal.ts'

export type GuardOptions = {
  /** The address that the gateway is bound to. */
  host: string
  /** Names under which clients may reach it, beside those of loopback where it is bound to it. */
  hosts: readonly string[]
  /** Web pages that may use it, as in `https://app.example`, beside its own. */
  origins: readonly string[]
}

/** @throws Refusal 403: a page of another origin, or one that made its own name lead here (DNS rebinding) */
export type Guard = (request: Request) => void

/**
 * A gateway on loopback answers to the names of loopback alone. One on a network answers to any name unless names
 * are given: there every request needs a credential, which a page that rebinds its name does not have.
 */
export function openGuard({ host, hosts, origins }: GuardOptions): Guard {
  const local = isLoopback(host)
  const isKnown = knownHosts({ host, hosts })
  const pages = new Set(origins.map((origin) => origin.toLowerCase().replace(/\/$/, '')))

  return ({ headers, url }) => {
    const asked = headers.get('host') ?? URL.parse(url)?.host ?? ''
    if (!isKnown(asked))
      throw invalidRequest(403, 'host-not-allowed', 'The Host header names a host that is not this one')
    const origin = headers.get('origin')
    if (origin === null || pages.has(origin.toLowerCase())) return
    const page = URL.parse(origin)
    if (page !== null && (page.host === asked.toLowerCase() || (local && isLoopbackName(page.hostname))))
      return
    throw invalidRequest(403, 'origin-not-allowed', 'Pages of this Origin may not use this gateway')
  }
}
