import { z } from 'zod'
import { defineTool, type Tool } from '#access'
import { modelNames, outputBody } from '../orchestra/shapes.ts'
import type { LlmToolsOptions } from '../tools.ts'
import { send, sendInput } from './send.ts'

const none = z.strictObject({})
const reads = { scope: 'call', readOnly: true } as const

/** Many models, one prompt. */
export function orchestraTools({ orchestra, filesFolder }: LlmToolsOptions): Tool[] {
  return [
    defineTool({
      name: 'fiedler_list_models',
      title: 'List models',
      description:
        'The models that can be asked, which of them a prompt goes to by default, and what each still lacks.',
      input: none,
      ...reads,
      run: async (_, { principal }) => ({ models: await orchestra.listModels(principal) }),
    }),
    defineTool({
      name: 'fiedler_set_models',
      title: 'Set the default models',
      description:
        'Sets whom fiedler_send asks by default, for the whole tenant; null: the ten it comes with.',
      input: z.strictObject({ models: modelNames.nullable() }),
      ...{ scope: 'call', readOnly: false },
      run: ({ models }, { principal }) => orchestra.setModels(principal, models),
    }),
    defineTool({
      name: 'fiedler_get_config',
      title: 'Show the configuration',
      description: 'The default models, where answers are written to, and the limits.',
      input: none,
      ...reads,
      run: (_, { principal }) => orchestra.getConfig(principal),
    }),
    defineTool({
      name: 'fiedler_set_output',
      title: 'Set the output folder',
      description:
        'Sets the folder under DATA_DIR/orchestra/<tenant> of the gateway that answers are written to as well, one file a model; null: none.',
      input: z.strictObject({ output_dir: outputBody.shape.folder }),
      ...{ scope: 'admin', readOnly: false },
      run: ({ output_dir: folder }, { principal }) => orchestra.setOutput(principal, folder),
    }),
    defineTool({
      name: 'fiedler_send',
      title: 'Ask many models',
      description:
        'Sends one prompt, with files, to many models at once, and puts their answers side by side with status, tokens, cost and time. One that fails has its reason beside the answers of the others. Progress tells of each model as it answers.',
      input: sendInput,
      ...{ scope: 'call', readOnly: false },
      run: (input, context) => send({ orchestra, filesFolder }, input, context),
    }),
  ]
}
