import { ConnectError, type Failure } from '../failure.ts'
import type { Locate } from './address.ts'

export type RemoteOptions = {
  url: string
  /** The operator's, with credentials. Nothing of a client's goes this way. */
  headers: Readonly<Record<string, string>>
  locate: Locate
}

export type RemoteRequest = {
  method: 'GET' | 'POST' | 'DELETE'
  headers: Record<string, string>
  body?: string
  signal: AbortSignal
  /** May it be silent for longer than five minutes? Then a lost connection is noticed by other means. */
  patient: boolean
  /** @default that of the server */
  url?: string
}

/** Asks a server by HTTP, and never another one that it may point to. */
export async function askRemote(options: RemoteOptions, request: RemoteRequest): Promise<Response> {
  const { url, host, serverName } = await options.locate(request.url ?? options.url)
  const { method, body, signal } = request
  return await fetch(url, {
    method,
    headers: { ...options.headers, ...request.headers, ...(host === null ? {} : { host }) },
    ...(body === undefined ? {} : { body }),
    ...(serverName === null ? {} : { tls: { serverName } }),
    signal,
    redirect: 'manual',
    ...(request.patient ? { timeout: false } : {}),
  } as RequestInit)
}

/** Did it fail before anything was sent? Then the server is down, and not only this request lost. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof ConnectError || unreachable.test(codeOf(error))
}

export function failureOf(error: unknown, { url }: RemoteOptions): Failure {
  if (error instanceof ConnectError) return { kind: 'unavailable', message: error.message }
  const host = URL.parse(url)?.host ?? 'the server'
  const code = codeOf(error)
  return isUnreachable(error)
    ? { kind: 'unavailable', message: `No connection to ${host}: ${code}`, unsent: true }
    : { kind: 'gone', message: `The connection to ${host} broke off: ${code}` }
}

const unreachable =
  /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EADDRNOTAVAIL|ENETDOWN|FailedToOpenSocket|ConnectionRefused|\w*CERT\w*|\w*SIGNED\w*|\w*TLS\w*|\w*SSL\w*)$/i

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return error instanceof Error ? error.name : 'unknown'
}
