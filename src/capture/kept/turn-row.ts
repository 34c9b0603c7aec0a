import type { Column } from '../storing/insert.ts'
import type { Message } from './message.ts'

export type KeptTurn = {
  id: string
  number: number
  message: Message
  /** Of its own: no history that a client resends leads to it. */
  key: string
  exchange: string
  conversation: string
  tenant: string
}

export const keptColumns: Column<KeptTurn>[] = [
  { name: 'id', kind: 'uuid', value: (row) => row.id },
  { name: 'conversation_id', kind: 'uuid', value: (row) => row.conversation },
  { name: 'number', kind: 'number', value: (row) => row.number },
  { name: 'key', kind: 'bytes', value: (row) => Buffer.from(row.key, 'hex') },
  { name: 'tenant', kind: 'text', value: (row) => row.tenant },
  { name: 'role', kind: 'text', value: (row) => row.message.role },
  { name: 'exchange_id', kind: 'uuid', value: (row) => row.exchange },
  { name: 'reply', kind: 'flag', value: () => false },
  { name: 'by_tool', kind: 'flag', value: () => true },
  {
    name: 'metadata',
    kind: 'json',
    value: ({ message: { metadata } }) => (metadata ? JSON.stringify(metadata) : null),
  },
  { name: 'text', kind: 'text', wide: true, value: (row) => row.message.content },
]
