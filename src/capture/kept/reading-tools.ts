import { z } from 'zod'
import { defineTool, type Tool } from '#access'
import { reach } from '../reading/reach.ts'
import { id } from '../tool-input.ts'
import type { CaptureToolsOptions } from '../tools.ts'
import { listInput, searchInput, turnNumber } from './message.ts'
import { getConversation, listKept, searchKept } from './read-kept.ts'

const reads = { scope: 'read', readOnly: true } as const

/** Conversations, recorded from traffic and stored by tools alike. */
export function readingTools({ reading }: CaptureToolsOptions): Tool[] {
  return [
    defineTool({
      name: 'dewey_get_conversation',
      title: 'Get a conversation',
      description:
        'A conversation with its messages in their order. Of a long one the first: go on with from_turn set to next_turn.',
      input: z.strictObject({ conversation_id: id, from_turn: turnNumber.default(1) }),
      ...reads,
      run: ({ conversation_id: conversation, from_turn: from }, { principal }) =>
        reading.read((sql) =>
          getConversation(sql, { id: conversation, tenant: reach(principal, undefined), from }),
        ),
    }),
    defineTool({
      name: 'dewey_list_conversations',
      title: 'List conversations',
      description: 'Conversations, the last active (or with created_at the last begun) first.',
      input: listInput,
      ...reads,
      run: (asked, { principal }) => reading.read((sql) => listKept(sql, reach(principal, undefined), asked)),
    }),
    defineTool({
      name: 'dewey_search',
      title: 'Search conversations',
      description:
        'Full-text search in all messages, the latest first. All words must be there; "quotes" ask for a phrase, or for either, - for absence, * for a beginning.',
      input: searchInput,
      ...reads,
      run: (asked, { principal }) =>
        reading.read((sql) => searchKept(sql, reach(principal, undefined), asked)),
    }),
  ]
}
