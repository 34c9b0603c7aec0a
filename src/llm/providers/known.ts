import { onwardDialects, type Provider } from './provider.ts'

type Known = Omit<Provider, 'apiKey' | 'keys'>

const bearer = { header: 'authorization', scheme: 'bearer' } as const

const openai = ['openai-chat', 'openai-responses', 'openai-embeddings'] as const
const openaiLike = ['openai-chat', 'openai-embeddings'] as const

/** Vendors by name, with the address that their documentation gives. */
export const known: readonly Known[] = [
  {
    name: 'anthropic',
    dialect: 'anthropic',
    speaks: ['anthropic'],
    local: false,
    credential: { header: 'x-api-key', scheme: 'bare' },
    open: false,
    baseUrl: 'https://api.anthropic.com',
  },
  { ...openAiLike('openai', 'https://api.openai.com'), speaks: openai },
  {
    name: 'gemini',
    dialect: 'gemini',
    speaks: ['gemini'],
    local: false,
    credential: { header: 'x-goog-api-key', scheme: 'bare' },
    open: false,
    baseUrl: 'https://generativelanguage.googleapis.com',
  },
  {
    name: 'azure-openai',
    dialect: 'openai-chat',
    speaks: openai,
    local: false,
    credential: { header: 'api-key', scheme: 'bare' },
    open: false,
    baseUrl: null,
  },
  {
    ...openAiLike('chatgpt', 'https://chatgpt.com'),
    dialect: 'openai-responses',
    speaks: ['openai-responses'],
  },
  openAiLike('openrouter', 'https://openrouter.ai/api'),
  openAiLike('groq', 'https://api.groq.com/openai'),
  openAiLike('mistral', 'https://api.mistral.ai'),
  openAiLike('deepseek', 'https://api.deepseek.com'),
  openAiLike('xai', 'https://api.x.ai'),
  openAiLike('together', 'https://api.together.xyz'),
  openAiLike('fireworks', 'https://api.fireworks.ai/inference'),
  openAiLike('cerebras', 'https://api.cerebras.ai'),
  openAiLike('perplexity', 'https://api.perplexity.ai'),
  // The stand-in speaks whatever it is asked in.
  { ...ownServer('mock', null), speaks: onwardDialects },
  ownServer('vllm', null),
  ownServer('llamacpp', null),
  ownServer('ollama', 'http://127.0.0.1:11434'),
  ownServer('lmstudio', 'http://127.0.0.1:1234'),
]

function openAiLike(name: string, baseUrl: string): Known {
  return {
    ...{ name, dialect: 'openai-chat', speaks: openaiLike, credential: bearer },
    ...{ open: false, local: false, baseUrl },
  }
}

/** A server on the operator's own machines, which asks for a key only if it was started with one. */
export function ownServer(name: string, baseUrl: string | null): Known {
  return {
    ...{ name, dialect: 'openai-chat', speaks: openaiLike, credential: bearer },
    ...{ open: true, local: true, baseUrl },
  }
}
