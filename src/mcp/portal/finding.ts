import { z } from 'zod'
import { defineTool } from '#access'
import { describeTool } from '../own/describe.ts'
import type { OwnListing } from '../own/own.ts'
import { memberOf, stringOf, withMember } from '../wire/raw-json.ts'
import type { Audience } from './audience.ts'
import { invalid } from './errors.ts'
import { callToolName, searchToolsName } from './finding-names.ts'
import type { ClientCall } from './portal.ts'
import { searchTools } from './search.ts'

const searchInput = z.strictObject({
  query: z.string().min(1).max(1_000).describe('What the tool should do, in a few words, or its name'),
  limit: z.int().min(1).max(50).default(8),
})

const callInput = z.strictObject({
  name: z.string().min(1).max(500).describe('As search_tools or the list of tools gives it'),
  arguments: z.record(z.string(), z.unknown()).optional().describe('As the tool’s own schema says'),
})

/** For clients that do not listen for changes, or that want a small context (C1): two tools instead of all. */
export function findingTools(audience: Audience | null) {
  return {
    search: defineTool({
      name: searchToolsName,
      title: 'Search tools',
      description:
        'Finds tools by what they do, over all servers behind this address. Gives names, descriptions and schemas of arguments, best first; call_tool calls one of them.',
      input: searchInput,
      scope: 'call',
      readOnly: true,
      run: async ({ query, limit }) => ({
        tools: audience === null ? [] : searchTools(audience.searchable(), query, limit),
      }),
    }),
    call: defineTool({
      name: callToolName,
      title: 'Call a tool',
      description: 'Calls any tool behind this address by its name, listed or not. search_tools finds names.',
      input: callInput,
      scope: 'call',
      // It changes what the tool does that it calls; on a portal that only reads there is no other.
      readOnly: true,
      run: async () => null,
    }),
  }
}

export function findingListings(): OwnListing[] {
  const { search, call } = findingTools(null)
  return [search, call].map((tool) => ({
    ...{ name: tool.name, scope: tool.scope, readOnly: tool.readOnly },
    json: JSON.stringify(tool === call ? withoutHints(describeTool(tool)) : describeTool(tool)),
  }))
}

/** The call that `call_tool` stands for; all else of it stays, as in answers to what a server asked. */
export function readTarget(call: ClientCall): ClientCall {
  const given = memberOf(call.params, 'arguments') ?? '{}'
  const name = stringOf(given, 'name')
  if (name === null) throw invalid('call_tool: arguments.name must be a string')
  if (name === callToolName) throw invalid('call_tool: it does not call itself')
  const args = memberOf(given, 'arguments') ?? '{}'
  const params = withMember(withMember(call.params, 'name', JSON.stringify(name)), 'arguments', args)
  return { ...call, params }
}

function withoutHints({ annotations: _, ...rest }: ReturnType<typeof describeTool>) {
  return rest
}
