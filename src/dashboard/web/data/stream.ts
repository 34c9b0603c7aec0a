/** What comes of the stream: the board as JSON, that it is lost for now, or that the session is no more. */
export type StreamNews = { type: 'board'; json: string } | { type: 'lost' } | { type: 'over' }

const againMs = 3_000
/** A board comes every two seconds: without one for so long, what is shown is of the past. */
const silentMs = 8_000

/** @returns how to leave it */
export function openStream(tell: (news: StreamNews) => void): () => void {
  let source: EventSource | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let silence: ReturnType<typeof setTimeout> | undefined
  let left = false
  connect()
  return () => {
    left = true
    clearTimeout(timer)
    clearTimeout(silence)
    source?.close()
  }

  function connect(): void {
    source = new EventSource('/api/queues/live')
    source.addEventListener('board', ({ data }) => {
      clearTimeout(silence)
      silence = setTimeout(() => tell({ type: 'lost' }), silentMs)
      tell({ type: 'board', json: data })
    })
    source.addEventListener('closed', ({ data }) => {
      if (/unauthenticated|key-/.test(JSON.parse(data).reason)) void ask()
    })
    source.onerror = () => {
      tell({ type: 'lost' })
      // A browser gives up after an answer that is no stream: that of a gateway that starts, or of a session's end.
      if (source?.readyState === EventSource.CLOSED) void ask()
    }
  }

  async function ask(): Promise<void> {
    source?.close()
    const me = await fetch('/api/me').then(
      (answer) => answer.json(),
      () => null,
    )
    if (left) return
    if (me?.signed_in === false) tell({ type: 'over' })
    else timer = setTimeout(connect, againMs)
  }
}
