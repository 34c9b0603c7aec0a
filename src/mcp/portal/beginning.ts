import type { RawJson } from '../wire/message.ts'
import { memberOf, stringOf, withMember } from '../wire/raw-json.ts'

/** As many items as fit into so many bytes, and of the first that does not, what `cut` makes of it. */
export function beginning(
  items: readonly RawJson[],
  room: number,
  cut: (item: RawJson, room: number) => RawJson | null,
): RawJson[] {
  const kept: RawJson[] = []
  let left = room
  for (const item of items) {
    const size = Buffer.byteLength(item) + 1
    if (size > left) {
      const part = cut(item, left)
      return part === null ? kept : [...kept, part]
    }
    kept.push(item)
    left -= size
  }
  return kept
}

/** An item with text, shortened; null: it has none, or there is no room. */
export function cutItem(item: RawJson, room: number): RawJson | null {
  const text = stringOf(item, 'text')
  if (text === null) return null
  const wrapping = Buffer.byteLength(withMember(item, 'text', '""'))
  const cut = cutText(text, room - wrapping)
  if (cut === '') return null
  const short = withMember(item, 'text', JSON.stringify(cut))
  // Half of JSON is none.
  return memberOf(item, 'mimeType') === null ? short : withMember(short, 'mimeType', '"text/plain"')
}

/** A message of a prompt. */
export function cutMessage(message: RawJson, room: number): RawJson | null {
  const content = memberOf(message, 'content')
  if (content === null) return null
  const short = cutItem(content, room - Buffer.byteLength(message) + Buffer.byteLength(content))
  return short === null ? null : withMember(message, 'content', short)
}

/** So much of it as takes so many bytes as JSON. */
function cutText(text: string, room: number): string {
  let cut = text.slice(0, Math.max(0, room))
  // Escaped in JSON it may take more.
  while (cut !== '' && Buffer.byteLength(JSON.stringify(cut)) - 2 > room)
    cut = cut.slice(0, Math.floor(cut.length * 0.8))
  return cut.toWellFormed()
}
