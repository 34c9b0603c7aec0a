/** Asked where nobody says whom: ten models of seven providers, of different makes and prices. */
export const defaultModels: readonly string[] = [
  'anthropic/claude-opus-4-5',
  'anthropic/claude-sonnet-4-5',
  'openai/gpt-5.2',
  'openai/gpt-5-mini',
  'gemini/gemini-3-pro-preview',
  'gemini/gemini-2.5-flash',
  'xai/grok-4',
  'deepseek/deepseek-chat',
  'mistral/mistral-large-latest',
  'groq/llama-3.3-70b-versatile',
]

export const mostModels = 10

/** `provider/model`: the model's own name may have further slashes. */
export function splitModel(name: string): { provider: string; model: string } {
  const slash = name.indexOf('/')
  return { provider: name.slice(0, slash), model: name.slice(slash + 1) }
}
