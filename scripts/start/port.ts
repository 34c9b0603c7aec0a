import { createServer } from 'node:net'
import { SetupError } from '#lib/errors'

/** Gateways share a port with each other, which would hide that another program has it: so it is asked for alone first. */
export function checkPort(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(new SetupError(reason(host, port, cause), { cause })),
    )
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve()))
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
