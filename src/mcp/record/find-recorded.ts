import { type FoundExchange, type Reading, readContent, type Spool } from '#capture'
import { idTime, isId } from '#lib/ids'

export type RecordSources = { spool: Pick<Spool, 'find'>; reading: Pick<Reading, 'read'> }

/** `waitMs`: how long to wait for what is not whole yet. @default 5_000 */
export type Waiting = { waitMs?: number; signal?: AbortSignal }

/**
 * An exchange from the spool's files, else from the store. After a crash, and while another gateway ships it, it waits
 * until one of both has the whole of it. Null where there is no such exchange of that tenant.
 * @throws SluiceError 503 where the store cannot be asked
 */
export async function findRecorded(
  sources: RecordSources,
  { id, tenant }: { id: string; tenant: string },
  { waitMs = 5_000, signal }: Waiting = {},
): Promise<FoundExchange | null> {
  if (!isId(id)) return null
  const deadline = performance.now() + waitMs
  for (;;) {
    const found = await find(sources, id)
    if (found !== null && found.open.tenant !== tenant) return null
    const late = performance.now() >= deadline || signal?.aborted === true
    if (found !== null && (found.end !== null || late)) return found
    // What nobody can have stored yet would be seen; what is older is somewhere, or nowhere.
    if (late || (found === null && Date.now() - idTime(id) > longestAgoMs)) return null
    await Bun.sleep(askEveryMs)
  }
}

const askEveryMs = 100
/** What began longer ago, and is neither open nor stored, will not turn up. */
const longestAgoMs = 86_400_000

async function find({ spool, reading }: RecordSources, id: string): Promise<FoundExchange | null> {
  const onDisk = await spool.find(id)
  if (onDisk !== null && onDisk.end !== null) return onDisk
  return (await reading.read((sql) => readContent(sql, id))) ?? onDisk
}
