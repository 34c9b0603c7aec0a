/** Free text for a tool, which came as the one string of the function that stood for it. */
export function freeText(input: string): string {
  try {
    return String(JSON.parse(input).input ?? '')
  } catch {
    return input
  }
}
