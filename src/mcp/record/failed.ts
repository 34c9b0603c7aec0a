import { type Fields, fieldsOf } from './fields.ts'
import { framesIn } from './frames.ts'

/** The answer to a request among the frames of a response, if it is there. */
export function answerIn(frames: readonly Fields[], id: unknown): Fields | undefined {
  return frames.findLast(
    (frame) => frame.id === id && frame.method === undefined && ('result' in frame || 'error' in frame),
  )
}

/** A word for programs: `rpc-32602`, or that the tool said it failed. Null: it did not. */
export function errorOf(answer: Fields): string | null {
  if (answer.error !== undefined && answer.error !== null) {
    const { code } = fieldsOf(answer.error)
    return typeof code === 'number' ? `rpc${code}` : 'rpc-error'
  }
  return fieldsOf(answer.result).isError === true ? 'tool-error' : null
}

/** Reads in memory whether a call failed, where its bytes are not kept. */
export type VerdictReader = {
  request(bytes: Uint8Array): void
  response(bytes: Uint8Array): void
  /** As `errorOf`; null too where there is no answer, or it was too long to look at. */
  error(): string | null
}

const mostBytes = 1024 * 1024

export function verdictReader(): VerdictReader {
  let [asked, answered]: [Uint8Array[], Uint8Array[]] = [[], []]
  let size = 0

  function keep(list: Uint8Array[], bytes: Uint8Array): void {
    size += bytes.length
    if (size <= mostBytes) list.push(bytes)
    else [asked, answered] = [[], []]
  }

  return {
    request: (bytes) => keep(asked, bytes),
    response: (bytes) => keep(answered, bytes),
    error() {
      const request = framesIn(Buffer.concat(asked)).find((frame) => typeof frame.method === 'string')
      if (request?.id === undefined) return null
      const answer = answerIn(framesIn(Buffer.concat(answered)), request.id)
      return answer === undefined ? null : errorOf(answer)
    },
  }
}
