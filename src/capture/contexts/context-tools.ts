import type { Sql } from 'postgres'
import { z } from 'zod'
import { defineTool, type Tool } from '#access'
import { word } from '#lib/fields'
import { mayKeep } from '../tool-input.ts'
import { deleteContext, findContext, listContexts, noContext, setContext } from './contexts.ts'

const content = z.string().max(1024 * 1024, 'must be 1 MiB at most')

/** What an agent reads when it starts, kept for all agents of a tenant. */
export function contextTools(sql: Sql): Tool[] {
  return [
    defineTool({
      name: 'dewey_get_startup_context',
      title: 'Get a startup context',
      description: 'The startup context of that name; without a name the active one.',
      input: z.strictObject({ name: word.optional() }),
      ...{ scope: 'read', readOnly: true },
      async run({ name }, { principal }) {
        const found = await findContext(sql, principal.tenant, name)
        if (found === null) throw noContext(name)
        return found
      },
    }),
    defineTool({
      name: 'dewey_set_startup_context',
      title: 'Set a startup context',
      description:
        'Makes or replaces the startup context of that name. With set_active true it becomes the active one instead of any other; with false it is no longer; unset leaves that as it was. At most one is active.',
      input: z.strictObject({ name: word, content, set_active: z.boolean().optional() }),
      ...{ scope: 'call', readOnly: false },
      async run({ name, content: text, set_active: active }, { principal }) {
        mayKeep(principal)
        return await setContext(sql, principal.tenant, { name, content: text, active })
      },
    }),
    defineTool({
      name: 'dewey_list_startup_contexts',
      title: 'List startup contexts',
      description: 'All startup contexts by name, without their content unless include_content is true.',
      input: z.strictObject({ include_content: z.boolean().default(false) }),
      ...{ scope: 'read', readOnly: true },
      async run({ include_content: withContent }, { principal }) {
        return { contexts: await listContexts(sql, principal.tenant, { content: withContent }) }
      },
    }),
    defineTool({
      name: 'dewey_delete_startup_context',
      title: 'Delete a startup context',
      description: 'Deletes it for good; without force it is only told what would be deleted.',
      input: z.strictObject({ name: word, force: z.boolean().default(false) }),
      ...{ scope: 'call', readOnly: false },
      async run({ name, force }, { principal }) {
        await deleteContext(sql, principal.tenant, { name, force })
        return { deleted: true, name }
      },
    }),
  ]
}
