/** Reads a stream of events as it comes. */
export type ReadEvent = { id: string | null; data: string; comment: boolean }

export type EventReader = {
  /** The next event, comments left out; null at the end. Rejects where the stream breaks. */
  next(): Promise<ReadEvent | null>
  /** The next event's data as JSON. */
  message(): Promise<Record<string, unknown>>
  /** The next block, comments among them. */
  block(): Promise<ReadEvent | null>
  cancel(): Promise<void>
}

export function readEvents(response: Response): EventReader {
  const reader = response.body?.getReader()
  const decoder = new TextDecoder()
  let text = ''

  async function block(): Promise<ReadEvent | null> {
    for (;;) {
      const end = text.indexOf('\n\n')
      if (end !== -1) {
        const found = text.slice(0, end)
        text = text.slice(end + 2)
        return parsed(found)
      }
      const chunk = await reader?.read()
      if (chunk === undefined || chunk.done) return null
      text += decoder.decode(chunk.value, { stream: true })
    }
  }

  async function next(): Promise<ReadEvent | null> {
    for (;;) {
      const found = await block()
      if (found === null || !found.comment) return found
    }
  }

  return {
    block,
    next,
    async message() {
      const event = await next()
      if (event === null) throw new Error('the stream ended')
      return JSON.parse(event.data)
    },
    cancel: async () => await reader?.cancel(),
  }
}

function parsed(block: string): ReadEvent {
  const lines = block.split('\n')
  const field = (name: string) =>
    lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trim())
  return { id: field('id')[0] ?? null, data: field('data').join('\n'), comment: block.startsWith(':') }
}
