import { open, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { errorText, SluiceError } from './errors.ts'

/**
 * A file that a client may name, out of one folder and of nothing else: links that lead out of it are followed, and
 * refused.
 * @throws SluiceError 404 where it is not there, 403 where it is elsewhere, 413 above `maxBytes`
 */
export async function readAllowedFile(folder: string, name: string, maxBytes: number): Promise<Uint8Array> {
  if (name.includes('\0')) throw elsewhere(name, folder)
  const root = await realpath(folder).catch(() => null)
  if (root === null) throw missing(name, `there is no folder ${folder} on the gateway`)
  const path = await realpath(join(root, name)).catch((error: unknown) => {
    // Not to be told whether there is such a file outside.
    if (!join(root, name).startsWith(root + sep)) throw elsewhere(name, folder)
    throw missing(name, errorText(error))
  })
  if (!path.startsWith(root + sep)) throw elsewhere(name, folder)
  const file = await open(path, 'r')
  try {
    const stat = await file.stat()
    if (!stat.isFile()) throw missing(name, 'it is no file')
    if (stat.size > maxBytes) {
      throw new SluiceError(
        413,
        'file-too-large',
        `reading ${name}: ${stat.size} bytes, more than ${maxBytes}`,
      )
    }
    return await file.readFile()
  } finally {
    await file.close()
  }
}

function missing(name: string, found: string): SluiceError {
  return new SluiceError(404, 'no-file', `reading ${JSON.stringify(name.slice(0, 200))}: ${found}`)
}

function elsewhere(name: string, folder: string): SluiceError {
  const message = `reading ${JSON.stringify(name.slice(0, 200))}: only files in ${folder} may be read`
  return new SluiceError(403, 'file-refused', message)
}
