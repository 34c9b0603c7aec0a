import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Vault } from '#lib/vault'

/** What guards those who are told of jobs, and us from them. */
export type Receivers = {
  /** Seals the secrets that what is sent is signed with. */
  vault: Vault
  /** May receivers be on this machine or its network? */
  allowPrivate: boolean
}

const form = /^whsec_[A-Za-z0-9+/]+={0,2}$/

/** As Standard Webhooks has it: 24 to 64 bytes, in base64. */
export const secret = z
  .string()
  .max(100)
  .refine((text) => form.test(text) && isLong(text), 'must be whsec_ and 24 to 64 bytes in base64')
  .meta({ description: 'Signs what is sent (Standard Webhooks); made where it is not given' })

export function newSecret(): string {
  return `whsec_${randomBytes(24).toString('base64')}`
}

/** A secret opens for its webhook alone. */
export function sealed({ vault }: Receivers, id: string, plain: string): string {
  return vault.seal(plain, contextOf(id))
}

/** @throws Error where this process has another SECRET_KEY than the one that sealed it */
export function opened({ vault }: Pick<Receivers, 'vault'>, id: string, text: string): string {
  return vault.open(text, contextOf(id))
}

function contextOf(id: string): string {
  return `webhook/${id}`
}

function isLong(text: string): boolean {
  const { length } = Buffer.from(text.slice('whsec_'.length), 'base64')
  return length >= 24 && length <= 64
}
