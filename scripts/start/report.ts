import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Report } from '#lib/parent'

/** Where a process says how its start went. */
export type ReportFile = {
  /** To give to the process. */
  fd: number
  /** Null while nothing is there, or not all of it. */
  read(): Report | null
  close(): void
}

/** A file without a name: it is gone with the last who has it open, and takes everything, whether it is read or not. */
export function openReport(): ReportFile {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-report-'))
  const path = join(folder, 'report')
  const fd = openSync(path, 'wx+', 0o600)
  rmSync(folder, { recursive: true })
  const bytes = new Uint8Array(64 * 1024)
  return {
    fd,
    read() {
      const text = new TextDecoder().decode(bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0)))
      try {
        return JSON.parse(text)
      } catch {
        return null
      }
    },
    close: () => closeSync(fd),
  }
}
