import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Seals small secrets for the database, so that a copy of it is worth nothing without the gateway's own secret. */
export type Vault = {
  /** `context` names what the secret belongs to: it opens nowhere else. */
  seal(secret: string, context: string): string
  /** @throws Error where it was sealed with another secret or for another context, or was changed */
  open(sealed: string, context: string): string
}

/** AES-256-GCM, with a key derived from `secret` by HKDF-SHA256. */
export function openVault(secret: string | Uint8Array): Vault {
  const key = Buffer.from(hkdfSync('sha256', secret, 'sluice', 'provider keys v1', 32))
  return {
    seal(plain, context) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
      const bytes = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return `v1.${Buffer.concat([nonce, cipher.getAuthTag(), bytes]).toString('base64url')}`
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed.replace(/^v1\./, ''), 'base64url')
      if (!sealed.startsWith('v1.') || bytes.length < 28)
        throw new Error('opening a secret: not a sealed one')
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
      decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(12, 28))
      return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')
    },
  }
}

/** The secret in that file, which is made where there is none: for its owner alone to read. */
export async function secretIn(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  const made = randomBytes(32).toString('base64url')
  try {
    // Of several processes that start together one makes it; written in one go, it is never seen half.
    await writeFile(path, made, { mode: 0o600, flag: 'wx' })
    return made
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  for (let tries = 0; tries < 50; tries += 1) {
    const text = (await readFile(path, 'utf8')).trim()
    if (text.length >= 32) return text
    await Bun.sleep(20)
  }
  throw new Error(`reading the secret in ${path}: it is shorter than 32 characters`)
}
