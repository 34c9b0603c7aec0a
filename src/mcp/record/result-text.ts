import { type Fields, fieldsOf, listOf, text, word } from './fields.ts'

/** What people and search read of an answer. */
export function answerText(answer: Fields): string {
  const error = answer.error
  if (error !== undefined && error !== null) {
    const { code, message } = fieldsOf(error)
    return `error ${String(code ?? '')}: ${String(message ?? '')}`
  }
  return resultText(fieldsOf(answer.result))
}

/** The readable text of a result: of a tool, a resource or a prompt. */
export function resultText(result: Fields): string {
  if (result.resultType === 'input_required') return '[input required]'
  const blocks = [
    ...listOf(result.content),
    ...listOf(result.contents),
    ...listOf(result.messages).flatMap(({ content }) =>
      Array.isArray(content) ? listOf(content) : [fieldsOf(content)],
    ),
  ]
  const said = blocks.map(blockText).filter((one) => one !== '')
  const structured = result.structuredContent
  if (said.length === 0 && structured !== undefined) said.push(JSON.stringify(structured))
  return said.join('\n')
}

function blockText(block: Fields): string {
  const said = text(block.text)
  if (said !== null) return said
  if (block.type === 'image' || block.type === 'audio') return `[${block.type}]`
  if (block.resource !== undefined) return blockText(fieldsOf(block.resource))
  const uri = word(block.uri)
  return uri === null ? '' : `[${uri}]`
}
