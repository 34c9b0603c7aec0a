import { readAnthropicRequest } from './anthropic-request.ts'
import { foldAnthropic } from './anthropic-response.ts'
import type { Dialect } from './dialect.ts'
import { anthropicError } from './errors.ts'
import { foldReader } from './reader.ts'
import { skimAnthropic } from './skim.ts'

/** https://platform.claude.com/docs/en/api/messages */
export const anthropic: Dialect = {
  name: 'anthropic',
  errorBody: anthropicError,
  readRequest: readAnthropicRequest,
  skims: skimAnthropic,
  responseReader: () => foldReader(foldAnthropic()),
}
