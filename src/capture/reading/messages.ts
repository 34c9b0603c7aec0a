import type postgres from 'postgres'
import type { ConversationRow } from './conversation-item.ts'
import { conversationItem } from './conversation-item.ts'
import { readTurns, type TurnRow, turnItem } from './turns.ts'

export const shapes = ['openai', 'anthropic', 'jsonl'] as const
export type Shape = (typeof shapes)[number]

/** Texts are whole here: few at a time. */
const turnsAtOnce = 20

/** Reads through the pool page by page: an export holds no connection while its client is slow. */
export type ReadSql = <Result>(work: (sql: postgres.Sql) => Promise<Result>) => Promise<Result>

/**
 * A conversation as messages that other tools read, as one JSON document, or with `jsonl` as one line a turn. The
 * text of the turns only: calls of tools and their results are text in it, as their ids are not kept apart from
 * the raw bytes. So a tool's result is a `user` message, which every model takes.
 */
export async function* conversationMessages(
  read: ReadSql,
  conversation: ConversationRow,
  shape: Shape,
): AsyncGenerator<string> {
  if (shape === 'jsonl') {
    for await (const turn of turnsOf(read, conversation)) {
      yield `${JSON.stringify({ conversation_id: conversation.id, ...turnItem(turn) })}\n`
    }
    return
  }
  const system: string[] = []
  let written = 0
  const head = JSON.stringify({ type: 'conversation', ...conversationItem(conversation) })
  yield `${head.slice(0, -1)},"messages":[`
  for await (const turn of turnsOf(read, conversation)) {
    if (turn.role === 'system' && shape === 'anthropic') {
      system.push(turn.text)
      continue
    }
    yield `${written++ > 0 ? ',' : ''}${JSON.stringify(messageOf(turn))}`
  }
  yield `]${system.length > 0 ? `,"system":${JSON.stringify(system.join('\n\n'))}` : ''}}\n`
}

function messageOf({ role, text }: TurnRow): { role: string; content: string } {
  return { role: role === 'tool' ? 'user' : role, content: text }
}

async function* turnsOf(read: ReadSql, conversation: ConversationRow): AsyncGenerator<TurnRow> {
  for (let position = 0; ; ) {
    const turns = await read((sql) =>
      readTurns(sql, conversation, { limit: turnsAtOnce, position, order: 'asc' }),
    )
    yield* turns
    const last = turns.at(-1)
    if (last === undefined || turns.length < turnsAtOnce) return
    position = last.number
  }
}
