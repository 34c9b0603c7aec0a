import { errorText, SetupError } from '#lib/errors'

const patienceMs = 15_000
const startingUp = '57P03'

/** Connection-level codes: Node's, postgres.js's, and Postgres's for a wrong password, role or database. */
const unreachable = /^(E[A-Z_]+|CONNECT_TIMEOUT|CONNECTION_[A-Z]+|28P01|28000|3D000|57P03)$/

/**
 * Runs the first work on a database; waits while the server is only just starting.
 * @throws SetupError, without the password, if it cannot be reached or refuses us
 */
export async function connecting<Result>(url: string, work: () => Promise<Result>): Promise<Result> {
  const deadline = Date.now() + patienceMs
  for (;;) {
    try {
      return await work()
    } catch (error) {
      const code = codeOf(error)
      if (code === startingUp && Date.now() < deadline) {
        await Bun.sleep(200)
        continue
      }
      if (!unreachable.test(code)) throw error
      throw new SetupError(`Cannot connect to Postgres at ${place(url)}: ${errorText(error)}`, {
        cause: error,
      })
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

function place(url: string): string {
  const { hostname, port, pathname, username } = new URL(url)
  return `${username ? `${username}@` : ''}${hostname}:${port || 5432}${pathname}`
}
