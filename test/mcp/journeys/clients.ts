import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { repository } from '../../support/process.ts'
import type { Behind } from './servers.ts'

export type Way = 'http' | 'relay'
export type Era = 'legacy' | 'modern'

/** The official client, connected to the gateway over HTTP or through a relay. */
export async function connect(
  { gateway, headers }: Pick<Behind, 'gateway' | 'headers'>,
  { way, era, onChange }: { way: Way; era: Era; onChange?: () => void },
): Promise<Client> {
  const client = new Client(
    { name: 'official', version: '1' },
    {
      capabilities: { elicitation: { form: {} } },
      versionNegotiation: { mode: era === 'legacy' ? 'legacy' : { pin: '2026-07-28' } },
      ...(onChange === undefined
        ? {}
        : { listChanged: { tools: { onChanged: onChange, debounceMs: 0, autoRefresh: false } } }),
    },
  )
  client.setRequestHandler('elicitation/create', () => ({
    ...{ action: 'accept' as const, content: { username: 'wren', email: 'wren@example.com' } },
  }))
  await client.connect(way === 'http' ? httpTransport({ gateway, headers }) : relayTransport(gateway))
  return client
}

export function httpTransport({ gateway, headers }: Pick<Behind, 'gateway' | 'headers'>) {
  return new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), {
    requestInit: { headers },
    reconnectionOptions: {
      ...{ initialReconnectionDelay: 100, maxReconnectionDelay: 500 },
      ...{ reconnectionDelayGrowFactor: 1.5, maxRetries: 100 },
    },
  })
}

export function relayTransport({ url, adminKey }: Behind['gateway']): StdioClientTransport {
  return new StdioClientTransport({
    command: process.execPath,
    args: ['src/processes/relay.ts'],
    cwd: repository,
    env: { PATH: process.env.PATH ?? '', SLUICE_URL: url, SLUICE_KEY: adminKey },
    stderr: 'ignore',
  })
}

/** The text of a tool's answer. */
export function textOf(result: object): string {
  const { content } = result as { content: { text?: string }[] }
  return content.map(({ text }) => text ?? '').join('')
}
