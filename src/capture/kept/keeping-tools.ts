import { defineTool, type Tool } from '#access'
import { isoTime } from '#lib/clock'
import { reach } from '../reading/reach.ts'
import { mayKeep } from '../tool-input.ts'
import type { CaptureToolsOptions } from '../tools.ts'
import { deleteInput, deleteKept, deleteText } from './delete-kept.ts'
import { beginConversation, keepMessages } from './keep.ts'
import { beginInput, bulkInput, storeInput } from './message.ts'
import { readMessageFile } from './message-file.ts'

const writes = { scope: 'call', readOnly: false } as const

/** What an agent keeps of its own talk, beside what is recorded of its model calls. */
export function keepingTools({ sql, filesFolder }: CaptureToolsOptions): Tool[] {
  return [
    defineTool({
      name: 'dewey_begin_conversation',
      title: 'Begin a conversation',
      description:
        'Begins a conversation to store messages in. It is listed, searched and exported like recorded ones.',
      input: beginInput,
      ...writes,
      async run({ session_id: session, metadata }, { principal }) {
        mayKeep(principal)
        const { id, at } = await beginConversation(sql, { tenant: principal.tenant, session, metadata })
        return { conversation_id: id, session_id: session ?? null, created_at: isoTime(at) }
      },
    }),
    defineTool({
      name: 'dewey_store_message',
      title: 'Store a message',
      description:
        'Stores a message in a conversation, begun by a tool or recorded. A turn_number that is taken is refused; without one it is the next.',
      input: storeInput,
      ...writes,
      async run({ conversation_id: id, ...message }, { principal, exchange }) {
        mayKeep(principal)
        const into = { id, tenant: reach(principal, undefined) }
        const { turns, at } = await keepMessages(sql, { into, messages: [message], exchange })
        const [turn] = turns
        return {
          ...{ message_id: turn?.id, conversation_id: id, turn_number: turn?.number },
          created_at: isoTime(at),
        }
      },
    }),
    defineTool({
      name: 'dewey_store_messages_bulk',
      title: 'Store many messages',
      description:
        'Stores messages, all or none, in a conversation that is there or in a new one. With file they are read from the folder files/<tenant> in the data directory of the gateway, and from nowhere else: a path that leads out of it is refused.',
      input: bulkInput,
      ...writes,
      async run(input, { principal, exchange, progress }) {
        mayKeep(principal)
        const { file, conversation_id: id, session_id: session, metadata } = input
        const read = file === undefined ? [] : await readMessageFile(filesFolder, principal.tenant, file)
        const messages = input.messages ?? read
        progress(0, messages.length)
        const into =
          id === undefined
            ? { tenant: principal.tenant, session, metadata }
            : { id, tenant: reach(principal, undefined) }
        const { conversation, turns, at } = await keepMessages(sql, { into, messages, exchange })
        progress(turns.length, messages.length)
        const numbers = turns.map((turn) => turn.number)
        return {
          ...{ conversation_id: conversation, stored: turns.length, created_at: isoTime(at) },
          ...{ first_turn: Math.min(...numbers), last_turn: Math.max(...numbers) },
          message_ids: turns.slice(0, 1_000).map((turn) => turn.id),
        }
      },
    }),
    defineTool({
      name: 'dewey_delete_conversation',
      title: 'Delete a conversation',
      description: deleteText,
      input: deleteInput,
      ...writes,
      run: ({ conversation_id: id, force }, { principal }) => deleteKept(sql, { id, force, principal }),
    }),
  ]
}
