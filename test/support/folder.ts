import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folders: string[] = []

/** A fresh empty folder, removed at the end of the test run. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'))
  folders.push(folder)
  return folder
}

/** For the preload. */
export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
}

/** What a refused start says: one line. @throws Error if it is not refused with a SetupError */
export async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    if (error instanceof Error && error.name === 'SetupError' && !error.message.includes('\n'))
      return error.message
    throw error
  }
  throw new Error('It was not refused')
}
