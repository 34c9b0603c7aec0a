/**
 * JSON with a part in it as it was typed: read here and written again, large numbers would become others.
 * @throws SyntaxError where the part is no JSON
 */
export function jsonWith(text: string, whole: (part: string) => unknown): string {
  JSON.parse(text)
  const mark = `part ${Math.random()} ${Math.random()}`
  return JSON.stringify(whole(mark)).replace(JSON.stringify(mark), () => text)
}
