import type { Principal, Scope } from '#access'
import { openMock, openProviders } from '#llm'
import { openAdapters } from '../../../src/llm/adapters/factory.ts'
import { ownCalls } from '../../../src/llm/adapters/own-calls.ts'
import { testGateway } from '../proxy-support.ts'

/** Names of CONTRACTS 10. */
export const vendors = [
  ...['anthropic', 'openai', 'azure-openai', 'gemini', 'vllm', 'llamacpp', 'ollama', 'xai', 'deepseek'],
  ...['mistral', 'groq', 'openrouter', 'mock'],
] as const

export const principal: Principal = {
  ...{ tenant: 'acme', keyId: null, scopes: new Set<Scope>(['call']), capture: 'full', tags: ['of-the-key'] },
}

/** A gateway whose every vendor is the mock, and adapters that go through it. */
export async function openAsking() {
  const mock = await openMock()
  const settings = Object.fromEntries(
    vendors.map((name) => [name, { baseUrl: mock.url, apiKey: 'sk-of-the-gateway' }]),
  )
  const providers = openProviders(settings)
  const gateway = await testGateway(() => new Response(null, { status: 500 }), { providers })
  const calls = ownCalls(gateway.proxy)
  return {
    ...{ providers, gateway, calls, adapters: openAdapters({ providers }), send: calls(principal) },
    async close() {
      await gateway.stop()
      await mock.close()
    },
  }
}

export type Asking = Awaited<ReturnType<typeof openAsking>>
