import { existsSync, mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Keeps unreadable bytes for a person. The name says where they were; the same bytes are kept once. */
export function setAside(dir: string, name: string, bytes: Uint8Array): void {
  const folder = join(dir, 'quarantine')
  const path = join(folder, name)
  if (existsSync(path)) return
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${path}.new`, bytes)
  renameSync(`${path}.new`, path)
}

export function quarantineBytes(dir: string): number {
  const folder = join(dir, 'quarantine')
  if (!existsSync(folder)) return 0
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}
