/** A value as an HTTP header may carry it: base64 in a frame that the specification defines, where it must be. */
export function headerValue(text: string): string {
  const plain = /^[\x20-\x7e]*$/.test(text) && text === text.trim() && !/^=\?base64\?.*\?=$/.test(text)
  return plain ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`
}
