import { errorText, SluiceError } from '#lib/errors'
import type { Logger } from '#lib/log'
import { boardOf } from './board.ts'
import type { Known, Poll } from './poll.ts'
import type { BoardView } from './view.ts'

/** The board, looked at once for all who watch: the engine is asked as often whether one page is open or twenty. */
export type Live = {
  /** At most `everyMs` old. */
  now(tenant: string | null): Promise<BoardView>
  /** Calls back with each further look until left. `onEnd`: the gateway stops. */
  follow(tenant: string | null, follower: LiveFollower): () => void
  /** Looks again at once, as something was changed. */
  refresh(): Promise<void>
  /** Looks made so far. */
  looks(): number
  close(): void
}

export type LiveFollower = { onBoard: (json: string) => void; onEnd: () => void }

export type LiveOptions = {
  poll: Poll
  engine: 'redis' | 'postgres'
  log: Logger
  /** @default 2_000 */
  everyMs?: number
}

export function openLive({ poll, engine, log, everyMs = 2_000 }: LiveOptions): Live {
  const followers = new Map<LiveFollower, string | null>()
  let known: Known | null = null
  let looking: Promise<Known> | null = null
  let looks = 0
  let timer: ReturnType<typeof setInterval> | null = null
  let closed = false

  return {
    async now(tenant) {
      const fresh = known !== null && Date.now() - known.at < everyMs
      return view(fresh && known !== null ? known : await look(), tenant)
    },
    follow(tenant, follower) {
      if (closed) throw new SluiceError(503, 'stopping', 'This gateway is about to stop: try again')
      followers.set(follower, tenant)
      timer ??= setInterval(() => void tick(), everyMs)
      return () => {
        followers.delete(follower)
        if (followers.size > 0 || timer === null) return
        clearInterval(timer)
        timer = null
      }
    },
    async refresh() {
      await looking?.catch(() => {})
      await tick(true)
    },
    looks: () => looks,
    close() {
      closed = true
      if (timer !== null) clearInterval(timer)
      for (const follower of followers.keys()) follower.onEnd()
      followers.clear()
    },
  }

  function look(whole = false): Promise<Known> {
    looking ??= lookOnce(whole).finally(() => {
      looking = null
    })
    return looking
  }

  async function lookOnce(whole: boolean): Promise<Known> {
    looks += 1
    known = await poll.look(whole)
    return known
  }

  async function tick(whole = false): Promise<void> {
    try {
      tell(await look(whole))
    } catch (error) {
      log.warn({ reason: errorText(error) }, 'the queues cannot be looked at')
    }
  }

  /** Written once for each tenant that watches. */
  function tell(found: Known): void {
    const written = new Map<string | null, string>()
    for (const [follower, tenant] of followers) {
      const text = written.get(tenant) ?? JSON.stringify(view(found, tenant))
      written.set(tenant, text)
      follower.onBoard(text)
    }
  }

  function view(found: Known, tenant: string | null): BoardView {
    const names = poll.contracts.map(({ name }) => name)
    return boardOf(found, { engine, names, rowsQueue: poll.rowsQueue, tenant })
  }
}
