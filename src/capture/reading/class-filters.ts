import type postgres from 'postgres'
import { z } from 'zod'
import { word } from '#lib/fields'
import { type Classes, classes } from '../classes.ts'

const { task_type, complexity, domain, sensitivity } = classes.shape
const oneOf = <Word extends string>(options: readonly [Word, ...Word[]]) =>
  z.enum(options, `must be one of ${options.join(', ')}`).optional()

/** What an exchange was about: filters on `exchange_classes`. */
export const classFilters = {
  task_type: oneOf(task_type.options as [Classes['task_type'], ...Classes['task_type'][]]).meta({
    description: 'This and the following are known some time after the end, where the content was kept',
  }),
  complexity: oneOf(complexity.options as [Classes['complexity'], ...Classes['complexity'][]]),
  language: word.optional().meta({ description: 'A programming language, as in typescript' }),
  stack: word.optional().meta({ description: 'A framework or tool, as in react' }),
  domain: oneOf(domain.options as [Classes['domain'], ...Classes['domain'][]]),
  sensitivity: oneOf(sensitivity.options as [Classes['sensitivity'], ...Classes['sensitivity'][]]),
}

export type ClassFilters = { [Name in keyof typeof classFilters]?: z.infer<(typeof classFilters)[Name]> }

/**
 * The conditions on `k`, false where no class is asked for. With the bounds of ids given again, as the planner does
 * not carry them over from the other table.
 */
export function classConditions(
  sql: postgres.Sql,
  filters: ClassFilters,
  { from, before }: { from: string | undefined; before: string | undefined },
): postgres.Fragment | false {
  const { task_type, complexity, language, stack, domain, sensitivity } = filters
  if (!asksForClass(filters)) return false
  const asked = [
    task_type !== undefined && sql`k.task_type = ${task_type}`,
    complexity !== undefined && sql`k.complexity = ${complexity}`,
    language !== undefined && sql`k.language = ${language}`,
    stack !== undefined && sql`k.stack @> ${[stack]}::text[]`,
    domain !== undefined && sql`k.domain = ${domain}`,
    sensitivity !== undefined && sql`k.sensitivity = ${sensitivity}`,
    from !== undefined && sql`k.id >= ${from}`,
    before !== undefined && sql`k.id < ${before}`,
  ]
  return asked.filter((condition) => condition !== false).reduce((one, other) => sql`${one} and ${other}`)
}

export function asksForClass(filters: ClassFilters): boolean {
  return (Object.keys(classFilters) as (keyof ClassFilters)[]).some((name) => filters[name] !== undefined)
}

/** The same, for what arrives live; nothing is classified that early. */
export function isClass(found: Classes | null, filters: ClassFilters): boolean {
  const { stack, ...single } = filters
  const names = ['task_type', 'complexity', 'language', 'domain', 'sensitivity'] as const
  return (
    names.every((name) => single[name] === undefined || found?.[name] === single[name]) &&
    (stack === undefined || found?.stack.includes(stack) === true)
  )
}
