import { type Logger, pino } from 'pino'

export type { Logger }

/**
 * One JSON line an event on standard output. Prompts, answers and credentials are never logged; the redaction
 * here is the second line of defence, not the first.
 */
export function openLog(process: string, level: string): Logger {
  return pino({
    level,
    base: { process },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: ['*.authorization', '*.key', '*.password', '*.secret', 'authorization', 'key'],
      censor: '[redacted]',
    },
  })
}
