import { readCommand, runCommand, UsageError } from './api/command.ts'
import { exportRecord } from './api/export-record.ts'

const command = {
  usage: `bun run export [options] > record.jsonl
Writes the record as lines of JSON, oldest first, and goes on by itself where the connection broke.`,
  values: {
    what: 'exchanges (unless given) or conversations',
    format: 'of conversations: openai (unless given) or anthropic',
    since: 'from this time on, ISO 8601',
    until: 'before this time',
    tenant: 'for admins: one tenant only',
    model: 'asked for or served',
    provider: '',
    'key-id': '',
    status: 'as in 404, or a class as in 4xx',
    outcome: 'as in completed or client_gone',
    tag: 'one, or several with commas between',
    conversation: 'of one conversation',
    session: 'of conversations: the name that the client gave',
    client: 'of conversations: as in claude-code',
    after: 'goes on after the line with this id',
    limit: 'lines at most',
    out: 'writes to this file; one that is there is continued after its last whole line',
  },
  flags: {
    bodies: 'of exchanges: with headers and bytes',
    decoded: 'with bodies: compression undone',
  },
}

await runCommand(async () => {
  const given = readCommand(command, process.argv.slice(2))
  if (given === null) return 0
  if (given.words.length > 0) throw new UsageError(`${given.words[0]}: not understood (see --help)`)
  const { out, ...filters } = given.values
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(filters)) query.set(name.replaceAll('-', '_'), value)
  for (const name of given.flags) query.set(name, '1')
  return await exportRecord(given.gateway, { query, out: out ?? null })
})
