import type { RawJson } from '../wire/message.ts'
import { withMember } from '../wire/raw-json.ts'
import type { Listed } from './catalogue.ts'

/** The text of an item under another name. */
export type Rename = (listed: Listed, member: string, exposed: string) => RawJson

/** Made once as long as a server offers the item: views are made anew after each change, and may hold thousands. */
export function openRenaming(): Rename {
  const made = new WeakMap<Listed, Map<string, RawJson>>()
  return (listed, member, exposed) => {
    if (exposed === listed.name) return listed.json
    const known = made.get(listed) ?? new Map<string, RawJson>()
    made.set(listed, known)
    const json = known.get(exposed) ?? withMember(listed.json, member, JSON.stringify(exposed))
    known.set(exposed, json)
    return json
  }
}
