import type { Part, Turn } from '../codecs/model.ts'
import type { SendBody, SentFile } from './shapes.ts'

/** A prompt with its files as a conversation: files first, as models read them best. */
export function turnsOf({ prompt, system, files }: Pick<SendBody, 'prompt' | 'system' | 'files'>): Turn[] {
  const user: Turn = { role: 'user', parts: [...files.map(partOf), { kind: 'text', text: prompt }] }
  if (system === undefined) return [user]
  return [{ role: 'system', parts: [{ kind: 'text', text: system }] }, user]
}

function partOf({ name, media_type: mime, text, base64 }: SentFile): Part {
  if (base64 === undefined)
    return { kind: 'text', text: `<file name=${JSON.stringify(name)}>\n${text ?? ''}\n</file>` }
  const source = { kind: 'base64', mime, data: base64 } as const
  return mime === 'application/pdf' ? { kind: 'document', source, name } : { kind: 'image', source }
}
