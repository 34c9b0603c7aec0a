import { parseArgs } from 'node:util'

/** Options of a command that talks to a gateway, by their names on the command line. */
export type Command = {
  /** Printed by `--help`, above the options. */
  usage: string
  /** Names of options that take a value, and what each is. */
  values: Record<string, string>
  /** Names of options that stand alone. */
  flags: Record<string, string>
}

export type Given = {
  gateway: Gateway
  values: Record<string, string>
  flags: ReadonlySet<string>
  /** What is no option, in order. */
  words: string[]
}

export type Gateway = { url: string; key: string }

/** What the person who typed it must mend; printed as one line, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const common = {
  url: 'the gateway (or SLUICE_URL); http://127.0.0.1:8080 unless given',
  key: 'a key with the scope that is needed (or SLUICE_KEY)',
}

/**
 * What was typed. Null where it was a call for help, which was given.
 * @throws UsageError naming what is not understood or missing
 */
export function readCommand(command: Command, argv: readonly string[]): Given | null {
  const { values: valued, flags } = { ...command, values: { ...command.values, ...common } }
  const options = {
    help: { type: 'boolean' as const, short: 'h' },
    ...Object.fromEntries(Object.keys(valued).map((name) => [name, { type: 'string' as const }])),
    ...Object.fromEntries(Object.keys(flags).map((name) => [name, { type: 'boolean' as const }])),
  }
  const { values, positionals } = parsed(argv, options)
  if (values.help === true) {
    console.log(helpOf(command.usage, { ...valued, ...flags }))
    return null
  }
  const {
    url = process.env.SLUICE_URL ?? 'http://127.0.0.1:8080',
    key = process.env.SLUICE_KEY,
    ...rest
  } = values
  if (typeof key !== 'string' || key === '')
    throw new UsageError('There is no key: give --key or set SLUICE_KEY')
  if (URL.parse(String(url)) === null) throw new UsageError(`--url ${url}: must be a URL`)
  return {
    gateway: { url: String(url).replace(/\/+$/, ''), key },
    values: Object.fromEntries(
      Object.entries(rest).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
    ),
    flags: new Set(Object.keys(rest).filter((name) => rest[name] === true)),
    words: positionals,
  }
}

/** Runs a command to its exit code, and turns what it throws into one line. */
export async function runCommand(run: () => Promise<number>): Promise<never> {
  try {
    process.exit(await run())
  } catch (error) {
    const known = error instanceof UsageError || error instanceof RefusedError
    console.error(known ? error.message : error)
    process.exit(error instanceof UsageError ? 2 : 1)
  }
}

/** The gateway answered with an error, or not at all. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  /** Null where it did not answer. */
  readonly status: number | null

  constructor(status: number | null, message: string) {
    super(message)
    this.status = status
  }

  /** May the same work a little later? */
  get isPassing(): boolean {
    return this.status === null || this.status >= 500
  }
}

/** @throws RefusedError with the gateway's own words, or that it cannot be reached */
export async function callGateway(
  { url, key }: Gateway,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const response = await fetch(`${url}${path}`, { ...init, headers }).catch((cause: unknown) => {
    throw new RefusedError(
      null,
      `The gateway at ${url} cannot be reached: ${cause instanceof Error ? cause.message : cause}`,
    )
  })
  if (!/^application\/problem\+json/.test(response.headers.get('content-type') ?? '')) return response
  const { detail = response.statusText } = (await response.json()) as { detail?: string }
  throw new RefusedError(response.status, `${response.status}: ${detail}`)
}

type Options = NonNullable<Parameters<typeof parseArgs>[0]>['options']

function parsed(argv: readonly string[], options: Options) {
  try {
    return parseArgs({ args: [...argv], options: options ?? {}, allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? `${error.message} (see --help)` : String(error))
  }
}

function helpOf(usage: string, options: Record<string, string>): string {
  const width = Math.max(...Object.keys(options).map((name) => name.length)) + 4
  const lines = Object.entries(options).map(([name, text]) => `  ${`--${name}`.padEnd(width)}${text}`)
  return `${usage}\n\n${lines.join('\n')}`
}
