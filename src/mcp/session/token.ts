import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { idTime, newId } from '#lib/ids'
import type { RawJson } from '../wire/message.ts'

/** What a legacy session is. Signed into its own id, so that any gateway knows it, after any crash. */
export type SessionClaims = {
  /** A UUIDv7: says when it began. */
  id: string
  tenant: string
  /** The key that opened it: no other may use it. Null: the admin key. */
  keyId: string | null
  portal: string | null
  version: string
  info: RawJson
  capabilities: RawJson
}

export type SessionTokens = {
  issue(claims: Omit<SessionClaims, 'id'>): { token: string; claims: SessionClaims }
  /** Null where it is none of ours, was changed, or is too old. */
  read(token: string): SessionClaims | null
}

/** A session may be taken up again until this long after it began. */
export const longestSessionMs = 90 * 24 * 3_600_000

/** It goes into a header, of which many servers take no more than 8 KB. */
const longestInfo = 512
const longestCapabilities = 2_048

const shape = z.tuple([
  z.uuid(),
  z.string(),
  z.string().nullable(),
  z.string().nullable(),
  z.string(),
  z.string(),
  z.string(),
])

/** `secret`: the one that the vault has too; the key is another. */
export function sessionTokens(secret: string | Uint8Array): SessionTokens {
  const key = Buffer.from(hkdfSync('sha256', secret, 'sluice', 'mcp sessions v1', 32))
  const sign = (text: string) => createHmac('sha256', key).update(text).digest('base64url')
  return {
    issue(given) {
      const claims: SessionClaims = {
        ...given,
        id: newId(),
        info: short(given.info, longestInfo),
        capabilities: short(given.capabilities, longestCapabilities),
      }
      const { id, tenant, keyId, portal, version, info, capabilities } = claims
      const fields = [id, tenant, keyId, portal, version, info, capabilities] satisfies z.infer<typeof shape>
      const body = Buffer.from(JSON.stringify(fields)).toString('base64url')
      return { token: `${body}.${sign(body)}`, claims }
    },
    read(token) {
      const dot = token.indexOf('.')
      const body = token.slice(0, dot)
      const given = Buffer.from(token.slice(dot + 1))
      const right = Buffer.from(sign(body))
      if (dot === -1 || given.length !== right.length || !timingSafeEqual(given, right)) return null
      const [id, tenant, keyId, portal, version, info, capabilities] = shape.parse(
        JSON.parse(Buffer.from(body, 'base64url').toString()),
      )
      if (idTime(id) < Date.now() - longestSessionMs) return null
      return { id, tenant, keyId, portal, version, info, capabilities }
    },
  }
}

/** What is too long is cut to what matters: names and versions, or which capabilities there are. */
function short(raw: RawJson, most: number): RawJson {
  if (raw.length <= most) return raw
  const whole: unknown = JSON.parse(raw)
  if (typeof whole !== 'object' || whole === null) return '{}'
  const kept: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(whole)) {
    if (typeof value === 'string') kept[name] = value.slice(0, 100)
    else if (typeof value === 'object' && value !== null) kept[name] = {}
    if (JSON.stringify(kept).length > most) delete kept[name]
  }
  return JSON.stringify(kept)
}
