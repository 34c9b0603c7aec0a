import { join } from 'node:path'
import { z } from 'zod'
import type { ToolContext } from '#access'
import { readAllowedFile } from '#lib/allowed-file'
import { SluiceError } from '#lib/errors'
import { file, type Outcome, type SentFile, sendBody } from '../orchestra/shapes.ts'
import type { LlmToolsOptions } from '../tools.ts'

const mostFileBytes = 8 * 1024 * 1024

const { prompt, system, models, max_tokens, temperature, timeout_seconds, consensus, summary } =
  sendBody.shape

export const sendInput = z.strictObject({
  prompt,
  files: z
    .array(z.union([z.string().min(1).max(1_000), file]))
    .max(10)
    .default([])
    .meta({
      description:
        'Each a file with its text or base64, or the name of one in the folder files/<tenant> of the gateway’s data directory',
    }),
  ...{ models, system, max_tokens, temperature, timeout_seconds, consensus, summary },
})

/** @throws SluiceError where a file cannot be read, or all is too much together */
export async function send(
  { orchestra, filesFolder }: Pick<LlmToolsOptions, 'orchestra' | 'filesFolder'>,
  { files: named, ...rest }: z.output<typeof sendInput>,
  { principal, signal, progress }: ToolContext,
): Promise<Outcome> {
  const folder = join(filesFolder, principal.tenant)
  const files = await Promise.all(
    named.map((one) => (typeof one === 'string' ? readNamed(folder, one) : one)),
  )
  const parsed = sendBody.safeParse({ ...rest, files })
  if (!parsed.success)
    throw new SluiceError(422, 'bad-arguments', parsed.error.issues.map(({ message }) => message).join('; '))
  let done = 0
  let total: number | undefined
  return await orchestra.send(principal, parsed.data, {
    signal,
    onProgress(event) {
      if (event.type === 'started') {
        total = event.models.length
        progress(0, total, `asking ${event.models.join(', ')}`)
      } else if (event.type === 'result') {
        done += 1
        const { model, status, ms, error } = event.result
        progress(
          done,
          total,
          `${model}: ${status} after ${ms} ms${error === null ? '' : `: ${error.message}`}`,
        )
      }
    },
  })
}

async function readNamed(folder: string, name: string): Promise<SentFile> {
  const bytes = await readAllowedFile(folder, name, mostFileBytes)
  const type = Bun.file(name).type.split(';')[0] ?? ''
  if (/^image\/|^application\/pdf$/.test(type))
    return { name, media_type: type, base64: Buffer.from(bytes).toString('base64') }
  return { name, media_type: 'text/plain', text: textOf(bytes, name) }
}

function textOf(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replaceAll('\u0000', '')
  } catch {
    throw new SluiceError(
      422,
      'bad-file',
      `reading ${name.slice(0, 200)}: neither text in UTF-8, an image nor PDF`,
    )
  }
}
