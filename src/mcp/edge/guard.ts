import { isLoopback } from '#lib/env'
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
  const anyHost = !local && hosts.length === 0
  const known = new Set(hosts.map((name) => name.toLowerCase()))
  const pages = new Set(origins.map((origin) => origin.toLowerCase().replace(/\/$/, '')))

  function isKnown(authority: string): boolean {
    const full = authority.toLowerCase()
    const name = full.replace(/:\d+$/, '')
    return known.has(full) || known.has(name) || (local && isLoopbackName(name))
  }

  return ({ headers, url }) => {
    const asked = headers.get('host') ?? URL.parse(url)?.host ?? ''
    if (!anyHost && !isKnown(asked))
      throw invalidRequest(403, 'host-not-allowed', 'The Host header names a host that is not this one')
    const origin = headers.get('origin')
    if (origin === null || pages.has(origin.toLowerCase())) return
    const page = URL.parse(origin)
    if (page !== null && (page.host === asked.toLowerCase() || (local && isLoopbackName(page.hostname))))
      return
    throw invalidRequest(403, 'origin-not-allowed', 'Pages of this Origin may not use this gateway')
  }
}

function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name)
}
