import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { repository } from './process.ts'

export type Source = {
  /** From the repository's root: `src/capture/spool/slot.ts`. */
  path: string
  text: string
  lines: number
  /** `capture` for `src/capture/…`, `queues` for `queues/…`; null elsewhere. */
  domain: string | null
  imports: string[]
}

export function readSources(pattern: string): Source[] {
  const paths = [...new Bun.Glob(pattern).scanSync({ cwd: repository, onlyFiles: true })].sort()
  return paths.filter((path) => !path.includes('node_modules')).map(readSource)
}

/** The module's statements as they run: no comments, no types; what a template literal holds is left out. */
export function topLevelStatements({ path, text }: Source): string[] {
  const loader = path.endsWith('x') ? 'tsx' : 'ts'
  const plain = new Bun.Transpiler({ loader }).transformSync(text).replace(/`(?:\\.|[^`\\])*`/gs, '``')
  return plain.split('\n').filter((line) => /^[A-Za-z_$(!+]/.test(line))
}

function readSource(path: string): Source {
  const text = readFileSync(`${repository}/${path}`, 'utf8')
  const domain = /^src\/([^/]+)\//.exec(path)?.[1] ?? /^(queues)\//.exec(path)?.[1] ?? null
  const imports = [...text.matchAll(/^(?:import|export|\} from)\b[^'\n]*'([^']+)'|\bimport\('([^']+)'\)/gm)]
  return {
    path: relative('.', path),
    text,
    lines: text.trimEnd().split('\n').length,
    domain,
    imports: imports.flatMap((match) => match[1] ?? match[2] ?? []),
  }
}
