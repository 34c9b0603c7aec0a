import { readFile, stat } from 'node:fs/promises'
import { SetupError } from '#lib/errors'

/** Who runs the server. Null: the user that we are ourselves. */
export type ServerUser = { name: string; uid: number; gid: number } | null

/** Postgres refuses to run as root: then one of these, which every distribution has, runs it. */
const candidates = ['postgres', 'nobody']

/**
 * The owner of the cluster, if there is one; else ourselves, or as root one of the unprivileged users.
 * @throws SetupError if the cluster belongs to somebody that we cannot become, or there is no unprivileged user
 */
export async function serverUser(folder: string): Promise<ServerUser> {
  const uid = process.getuid?.()
  const owner = await stat(folder).catch(() => null)
  if (uid !== 0) {
    if (owner && uid !== undefined && owner.uid !== uid) {
      throw new SetupError(
        `${folder} belongs to user ${owner.uid}, we are user ${uid}: start as root or as its owner, or set another DATA_DIR`,
      )
    }
    return null
  }
  const users = await readUsers()
  if (owner && owner.uid !== 0) {
    return (
      users.find((user) => user.uid === owner.uid) ?? {
        name: `user ${owner.uid}`,
        uid: owner.uid,
        gid: owner.gid,
      }
    )
  }
  const user = candidates.flatMap((name) => users.find((one) => one.name === name) ?? [])[0]
  if (!user) {
    throw new SetupError(
      'Postgres does not run as root, and there is no user "postgres" or "nobody": add one, start Sluice as another user, or set DATABASE_URL',
    )
  }
  if (owner)
    throw new SetupError(
      `${folder} belongs to root, as which Postgres does not run: chown -R ${user.name} ${folder}`,
    )
  return user
}

async function readUsers(): Promise<NonNullable<ServerUser>[]> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '')
  return text.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':')
    return name && Number(uid) > 0 ? [{ name, uid: Number(uid), gid: Number(gid) }] : []
  })
}
