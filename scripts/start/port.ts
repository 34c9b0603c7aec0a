import { createServer } from 'node:net'
import { SetupError } from '#lib/errors'

/** For the gateway of a supervisor that was killed a moment ago, which is only just about to notice. */
const patienceMs = 3_000

/**
 * Gateways share a port with each other, which would hide that another program has it: so it is asked for alone first.
 * @throws SetupError saying what to do
 */
export async function checkPort(host: string, port: number): Promise<void> {
  const deadline = Date.now() + patienceMs
  for (;;) {
    const refusal = await tryPort(host, port)
    if (refusal === null) return
    if (refusal.code !== 'EADDRINUSE' || Date.now() > deadline) {
      throw new SetupError(reason(host, port, refusal), { cause: refusal })
    }
    await Bun.sleep(100)
  }
}

function tryPort(host: string, port: number): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', resolve)
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)))
  })
}

function reason(host: string, port: number, { code, message }: NodeJS.ErrnoException): string {
  if (code === 'EADDRINUSE')
    return `PORT=${port} on ${host} is taken by another program: stop it, or set another PORT`
  if (code === 'EACCES') return `PORT=${port} needs rights that this user lacks: set a PORT above 1023`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `HOST=${host} is no address of this machine: set HOST`
  return `Cannot listen on ${host}:${port}: ${message}`
}
