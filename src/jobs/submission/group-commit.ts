import { SluiceError } from '#lib/errors'

export type GroupCommit<Item, Result> = {
  /**
   * Resolves when it is committed, together with others that came at the same time.
   * @throws SluiceError 503 `jobs-unavailable` where the database does not take it in time: then it may have been
   *   committed or not, unless it never left; whatever `write` says of this item
   */
  add(items: readonly Item[]): Promise<Result[]>
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
}

export type GroupCommitOptions<Item, Result> = {
  /** All or nothing, in the order of the items. */
  write: (items: readonly Item[]) => Promise<Result[]>
  bytesOf: (item: Item) => number
  /** How long one waits, in ms. @default 900 */
  patienceMs?: number
  /** Groups under way. @default 2 */
  atOnce?: number
}

type Waiting<Item, Result> = {
  items: readonly Item[]
  bytes: number
  gone: boolean
  resolve: (results: Result[]) => void
  reject: (error: unknown) => void
}

const mostItems = 500
const mostBytes = 8 * 1024 * 1024
/** Commits that hang: beyond it nothing more is sent, or a database that has frozen would fill the memory. */
const mostHanging = 8
/** Of all that waits, in bytes: beyond it the next is refused at once. */
const mostWaiting = 128 * 1024 * 1024

/**
 * Commits what comes while a commit is under way as one: at low load each at once, at high load hundreds for the
 * price of a few. A group that fails for what is in it is written one by one, so that no item fails another.
 */
export function openGroupCommit<Item, Result>(
  options: GroupCommitOptions<Item, Result>,
): GroupCommit<Item, Result> {
  const { write, bytesOf, patienceMs = 900, atOnce = 2 } = options
  const waiting: Waiting<Item, Result>[] = []
  const underWay = new Set<Promise<void>>()
  let bytes = 0
  let hanging = 0

  return {
    add(items) {
      const size = items.reduce((sum, item) => sum + bytesOf(item), 0)
      if (bytes > mostWaiting) return Promise.reject(unavailable('too many jobs wait to be stored'))
      return new Promise((resolve, reject) => {
        const one: Waiting<Item, Result> = {
          items,
          bytes: size,
          gone: false,
          resolve: settle(resolve),
          reject: settle(reject),
        }
        const timer = setTimeout(() => {
          one.gone = true
          one.reject(unavailable(`the database did not answer in ${patienceMs} ms`))
        }, patienceMs)
        bytes += size
        waiting.push(one)
        flush()

        function settle<Value>(then: (value: Value) => void) {
          return (value: Value) => {
            clearTimeout(timer)
            then(value)
          }
        }
      })
    },
    async idle() {
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }

  function flush(): void {
    while (waiting.length > 0 && underWay.size < atOnce && hanging < mostHanging) {
      const group = nextGroup()
      if (group.length === 0) return
      const done = commit(group).finally(() => {
        underWay.delete(done)
        flush()
      })
      underWay.add(done)
    }
  }

  function nextGroup(): Waiting<Item, Result>[] {
    const group: Waiting<Item, Result>[] = []
    let items = 0
    let size = 0
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      if (group.length > 0 && (items + next.items.length > mostItems || size + next.bytes > mostBytes)) break
      waiting.shift()
      bytes -= next.bytes
      if (next.gone) continue
      items += next.items.length
      size += next.bytes
      group.push(next)
    }
    return group
  }

  /** A commit that hangs gives its place to the next ones when those who wait for it have gone. */
  async function commit(group: readonly Waiting<Item, Result>[]): Promise<void> {
    const working = attempt(group)
    const late = Promise.withResolvers<void>()
    const timer = setTimeout(() => {
      hanging += 1
      late.resolve()
      void working.finally(() => {
        hanging -= 1
        flush()
      })
    }, patienceMs)
    await Promise.race([working, late.promise])
    clearTimeout(timer)
  }

  async function attempt(group: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await write(group.flatMap(({ items }) => items))
      let at = 0
      for (const { items, resolve } of group) {
        resolve(results.slice(at, at + items.length))
        at += items.length
      }
    } catch (error) {
      if (group.length > 1 && isOfData(error)) await Promise.all(group.map((one) => attempt([one])))
      else
        for (const { reject } of group) reject(isOfData(error) ? error : unavailable(reasonOf(error), error))
    }
  }
}

/** Classes 22 and 23 of SQLSTATE: the data, and not the database. */
function isOfData(error: unknown): boolean {
  return /^2[23]/.test(codeOf(error)) || codeOf(error) === ''
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

function reasonOf(error: unknown): string {
  return `the database does not take it (${codeOf(error)})`
}

function unavailable(reason: string, cause?: unknown): SluiceError {
  return new SluiceError(503, 'jobs-unavailable', `Submit a job: ${reason}`, {
    cause,
    headers: { 'retry-after': '1' },
  })
}
