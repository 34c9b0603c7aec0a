import type { Sql } from 'postgres'
import { SluiceError } from '#lib/errors'
import { changedChannel } from './announce.ts'

/** Tells those who follow a job that it has changed: one listening session, however many follow. */
export type Hub = {
  /** `onChange` is called after changes, and now and then without one. @throws SluiceError 503 where too many are */
  follow(id: string, follower: Follower): () => void
  /** Ends all followers. */
  close(): Promise<void>
}

export type Follower = { onChange: () => void; onEnd: () => void }

type Followed = { followers: Set<Follower>; version: number }

/** A notification can be missed: where its sender died just before it, or the session was lost. */
const lookEveryMs = 1_000
const mostFollowed = 5_000

export function openHub(sql: Sql): Hub {
  const followed = new Map<string, Followed>()
  let listening: ReturnType<Sql['listen']> | null = null
  let timer: Timer | null = null
  let looking = false

  return {
    follow(id, follower) {
      listening ??= sql.listen(changedChannel, onChanged, lookAtAll)
      listening.catch(() => {
        listening = null
      })
      const one = followed.get(id) ?? { followers: new Set(), version: -1 }
      if (followed.size >= mostFollowed && !followed.has(id)) {
        throw new SluiceError(503, 'too-many-followed', `${mostFollowed} jobs are followed here, the limit`, {
          headers: { 'retry-after': '2' },
        })
      }
      followed.set(id, one)
      one.followers.add(follower)
      timer ??= setInterval(() => void look().catch(() => {}), lookEveryMs)
      return () => leave(id, one, follower)
    },
    async close() {
      if (timer !== null) clearInterval(timer)
      for (const { followers } of followed.values()) for (const { onEnd } of followers) onEnd()
      followed.clear()
      const session = await Promise.race([listening?.catch(() => null), Bun.sleep(500)])
      await session?.unlisten().catch(() => {})
    },
  }

  function leave(id: string, one: Followed, follower: Follower): void {
    one.followers.delete(follower)
    if (one.followers.size === 0 && followed.get(id) === one) followed.delete(id)
    if (followed.size > 0 || timer === null) return
    clearInterval(timer)
    timer = null
  }

  function onChanged(payload: string): void {
    if (followed.size === 0) return
    for (const id of payload.split(' ')) tell(followed.get(id))
  }

  function lookAtAll(): void {
    for (const one of followed.values()) tell(one)
  }

  function tell(one: Followed | undefined): void {
    for (const { onChange } of one?.followers ?? []) onChange()
  }

  /** One query for all that are followed. */
  async function look(): Promise<void> {
    if (looking || followed.size === 0) return
    looking = true
    try {
      const rows = await sql<{ id: string; version: number }[]>`
        select id, version from jobs where id = any(${[...followed.keys()]}::uuid[])`
      for (const { id, version } of rows) {
        const one = followed.get(id)
        if (one === undefined || one.version === version) continue
        one.version = version
        tell(one)
      }
    } finally {
      looking = false
    }
  }
}
