import { withoutSecrets } from './sensitivity.ts'

const longestTitle = 80

/** The first thing that was asked, as a line for a list; null where nothing readable was said. */
export function titleOf(first: string): string | null {
  const bare = withoutSecrets(
    first
      .slice(0, 4_000)
      .replace(/```[\s\S]*?(?:```|$)/g, ' ')
      .replace(/^[#>*\-\s]+/, '')
      .replace(/\s+/g, ' ')
      .replace(
        /^(?:(?:hi|hello|hey)[,!. ]+(?:there[,!. ]+)?)?(?:please[, ]+|(?:can|could|would) you (?:please )?|i (?:want|need|would like) you to )/i,
        '',
      )
      .trim(),
  )
  if (!/\p{L}/u.test(bare)) return null
  const sentence = /^.{12,}?[.!?](?= |$)/.exec(bare)?.[0] ?? bare
  const line = sentence.replace(/[.:;,]+$/, '')
  return capitalised(line.length <= longestTitle ? line : cut(line))
}

/** At the end of a word, if there is one. */
function cut(text: string): string {
  const short = text.slice(0, longestTitle - 1).toWellFormed()
  const space = short.lastIndexOf(' ')
  return `${(space > longestTitle / 2 ? short.slice(0, space) : short).replace(/[\s,;:.]+$/, '')}…`
}

function capitalised(text: string): string {
  return /^[a-z]+(?:[\s,.!?…]|$)/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text
}
