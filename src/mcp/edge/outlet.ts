import type { Answer } from '../wire/message.ts'

/** Where the frames of one request go, whatever its transport. */
export type Outlet = {
  /** A notification, or a request of ours: comes to the client at once. */
  send(frame: string): void
  /** Can what we say before the answer reach the client? */
  canSend: boolean
  /** The last frame; null: none, as after a cancellation. The client sees the end when it is on the record. */
  finish(frame: string | null, ending: Ending): Promise<void>
}

export type Ending = { answer: Answer | null; gone: boolean }
