import { errorText } from '#lib/errors'
import type { Journal, SealedFile } from './journal.ts'
import { segmentBytes } from './segment.ts'

/**
 * Brings sealed files of their own into segments, off the client's path. A small one is copied into the current
 * segment and emptied; a large one, or any while the disk is short of room, becomes a batch as it is.
 */
export function foldSealed(journal: Journal, budgetMs: number): void {
  const deadline = performance.now() + budgetMs
  while (journal.sealed.length > 0 && performance.now() < deadline) {
    const next = journal.sealed.shift()
    if (next !== undefined) fold(journal, next)
  }
}

function fold(journal: Journal, sealed: SealedFile): void {
  const { depot, files, room, segment } = journal
  const { file, seq } = sealed
  if (file.size <= segmentBytes && room.ample && copied(journal, sealed)) {
    // The two steps stay together: a start that finds the exchange in the segment empties the file.
    depot.step('fold:appended')
    files.giveBack(file)
    depot.step('fold:emptied')
    return
  }
  segment.adopt({ path: file.path, size: file.size, seq })
  file.close()
}

function copied({ depot, segment }: Journal, { file, seq }: SealedFile): boolean {
  try {
    segment.append(file.read(), seq)
    return true
  } catch (error) {
    depot.log.warn(
      { path: file.path, reason: errorText(error) },
      'spool: an exchange is sent from its own file',
    )
    return false
  }
}
