import { installMissing } from './start/install.ts'

const help = `bun start: the whole of Sluice on this machine

Installs missing dependencies, starts an embedded Postgres under DATA_DIR unless DATABASE_URL is set, brings the
database up to date, and runs the gateway and all workers. Ctrl-C or SIGTERM stops everything in order, a second one
at once.

  HOST=127.0.0.1  PORT=8080      where the gateway listens
  DATA_DIR=./.data               spool, embedded Postgres
  DATABASE_URL=postgres://…      use this Postgres instead
  QUEUE_URL=redis://…            queue on Redis instead of Postgres
  ADMIN_KEY=…                    instead of the one made and shown at the first start
  ANTHROPIC_API_KEY=… and so on  the gateway's own provider keys

All variables are in README.md. Single processes: bun run gateway, bun run worker <queue…>, bun run migrate.`

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  console.log(help)
} else {
  try {
    // Bun goes on without node_modules, from its cache, in a process that began without: so begin again.
    if (await installMissing())
      process.execve?.(process.execPath, [process.execPath, ...process.argv.slice(1)])
    const { start } = await import('./start/main.ts')
    process.exitCode = await start()
  } catch (error) {
    const expected = error instanceof Error && error.name === 'SetupError'
    console.error(expected ? `sluice: ${error.message}` : error)
    process.exitCode = 1
  }
  process.exit()
}
