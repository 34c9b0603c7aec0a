import { SetupError } from '#lib/errors'
import { reportStart } from '#lib/parent'
import { openSink, written } from '#lib/sink'

/** Says why a start failed: to the supervisor where it can be said in a line, else on standard error. */
export async function complain(error: unknown): Promise<void> {
  const isSetup = error instanceof SetupError
  if (isSetup && reportStart({ failed: error.message })) return
  const sink = openSink(2)
  sink.write(`${isSetup ? `sluice: ${error.message}` : Bun.inspect(error)}\n`)
  await written(sink)
}
