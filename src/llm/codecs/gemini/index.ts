import type { Codec } from '../codec.ts'
import { readAnswer, writeAnswer } from './answer.ts'
import { readRequest } from './request-read.ts'
import { writeRequest } from './request-write.ts'
import { streamReader } from './stream-read.ts'
import { streamWriter } from './stream-write.ts'

/** https://ai.google.dev/api/generate-content */
export const geminiCodec: Codec = {
  readRequest,
  writeRequest,
  readAnswer,
  writeAnswer,
  streamReader,
  streamWriter,
}
