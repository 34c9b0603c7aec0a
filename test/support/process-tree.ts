import { readdirSync, readFileSync } from 'node:fs'

/** That process and all below it, by `/proc`. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const pid of readdirSync('/proc').map(Number).filter(Boolean)) {
    const parent = parentOf(pid)
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), pid])
  }
  const tree = [root]
  for (const pid of tree) tree.push(...(children.get(pid) ?? []))
  return tree
}

/** The one process of the tree whose command line matches. @throws Error if there is none */
export function findProcess(root: number, pattern: RegExp): number {
  const found = processTree(root).find((pid) => pattern.test(commandOf(pid)))
  if (found === undefined) throw new Error(`No process like ${pattern} below ${root}`)
  return found
}

export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

function parentOf(pid: number): number | null {
  try {
    return Number(/\) . (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1])
  } catch {
    return null
  }
}
