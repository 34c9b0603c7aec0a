import { createServer } from 'node:net'
import { SetupError } from '#lib/errors'

/**
 * The wanted port; else the remembered one, so that tools find the server again; else, or if another program has
 * taken that one meanwhile, any free one.
 * @throws SetupError if the wanted port is taken
 */
export async function choosePort(wanted: number | undefined, remembered: number | null): Promise<number> {
  if (wanted !== undefined && wanted !== 0) {
    if (await bindable(wanted)) return wanted
    throw new SetupError(
      `Port ${wanted} for the embedded Postgres is taken by another program: choose another`,
    )
  }
  const port = (remembered !== null && (await bindable(remembered))) || (await bindable(0))
  if (port) return port
  throw new SetupError(
    'No free port on 127.0.0.1 for the embedded Postgres: stop a program, or set DATABASE_URL',
  )
}

/** @returns the port that could be bound for a moment, or null */
function bindable(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address()
      server.close(() => resolve(address && typeof address === 'object' ? address.port : null))
    })
  })
}
