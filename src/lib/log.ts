import { format } from 'node:util'
import { type Logger, pino } from 'pino'
import { openSink, type SinkOptions } from './sink.ts'

export type { Logger }

/**
 * One JSON line an event on standard output, for which nothing ever waits. Prompts, answers and credentials are never
 * logged; the redaction here is the second line of defence, not the first.
 * @param limits of what may wait for a reader that stands still
 */
export function openLog(
  process: string,
  level: string,
  { mostBytes }: Pick<SinkOptions, 'mostBytes'> = {},
): Logger {
  const lost = (count: number) =>
    `${JSON.stringify({ level: 'warn', time: new Date(), process, lines: count, msg: 'lines of this log were dropped: nobody read them' })}\n`
  const options = {
    level,
    base: { process },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: ['*.authorization', '*.key', '*.password', '*.secret', 'authorization', 'key'],
      censor: '[redacted]',
    },
  }
  return pino(options, openSink(1, { lost, ...(mostBytes === undefined ? {} : { mostBytes }) }))
}

/** What libraries say to the console goes into the log: the console waits for its reader. */
export function takeConsole(log: Logger): void {
  const levels = { log: 'info', info: 'info', debug: 'debug', warn: 'warn', error: 'error' } as const
  for (const [name, level] of Object.entries(levels))
    Object.assign(console, { [name]: (...said: unknown[]) => log[level](format(...said)) })
}
