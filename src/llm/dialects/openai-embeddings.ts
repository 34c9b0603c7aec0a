import type { Dialect } from './dialect.ts'
import { openaiError } from './errors.ts'
import { parseBody, word } from './json.ts'
import { foldChat } from './openai-chat-response.ts'
import { foldReader } from './reader.ts'

/** https://platform.openai.com/docs/api-reference/embeddings: what is embedded is no conversation. */
export const openaiEmbeddings: Dialect = {
  name: 'openai-embeddings',
  errorBody: openaiError,
  readRequest: (body) => ({
    model: word(parseBody(body)?.model),
    stream: false,
    history: [],
    session: null,
  }),
  // Model, usage and errors are where chat completions have them.
  responseReader: () => foldReader(foldChat()),
}
