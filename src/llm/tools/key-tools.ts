import { z } from 'zod'
import { defineTool, type Tool } from '#access'
import type { Orchestra } from '../orchestra/orchestra.ts'
import { keyBody } from '../routing/shapes.ts'

const provider = z.string().min(1).max(64)
const admin = { scope: 'admin', readOnly: false } as const

/** Keys of providers go in, and never come out again. */
export function keyTools(orchestra: Orchestra): Tool[] {
  return [
    defineTool({
      name: 'fiedler_set_key',
      title: 'Set a provider key',
      description:
        'Sets the key of a provider. It is kept encrypted, used for calls, and never shown; the call is recorded without its content.',
      input: z.strictObject({ provider, api_key: keyBody.shape.key }),
      ...admin,
      sensitive: true,
      async run({ provider: name, api_key: key }) {
        await orchestra.setKey(name, key)
        return { status: 'success', provider: name }
      },
    }),
    defineTool({
      name: 'fiedler_list_keys',
      title: 'List provider keys',
      description: 'Which providers have keys, and where these come from. Never the keys.',
      input: z.strictObject({}),
      ...{ scope: 'admin', readOnly: true },
      run: async () => ({ keys: orchestra.listKeys() }),
    }),
    defineTool({
      name: 'fiedler_delete_key',
      title: 'Delete a provider key',
      description: 'Deletes the key that fiedler_set_key set.',
      input: z.strictObject({ provider }),
      ...admin,
      async run({ provider: name }) {
        await orchestra.deleteKey(name)
        return { status: 'success', provider: name }
      },
    }),
  ]
}
