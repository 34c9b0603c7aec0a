import { callGateway, readCommand, runCommand, UsageError } from './api/command.ts'

const command = {
  usage: `bun run replay <exchange id> [options]
Sends a recorded request again, as a new exchange, and prints the answer as it comes. Needs the scope replay.`,
  values: {
    model: 'another model, of the same API',
    provider: 'another provider, of the same API',
  },
  flags: {},
}

await runCommand(async () => {
  const given = readCommand(command, process.argv.slice(2))
  if (given === null) return 0
  const [id, ...more] = given.words
  if (id === undefined || more.length > 0) throw new UsageError('One exchange id is needed (see --help)')
  const path = `/api/exchanges/${encodeURIComponent(id)}/replay`
  const response = await callGateway(given.gateway, path, {
    method: 'POST',
    body: JSON.stringify(given.values),
  })
  console.error(
    `${response.status} ${response.statusText}, exchange ${response.headers.get('sluice-exchange')}`,
  )
  const writer = Bun.stdout.writer()
  for await (const chunk of response.body ?? []) {
    writer.write(chunk)
    await writer.flush()
  }
  return response.ok ? 0 : 1
})
