import type { Kind } from '../kind.ts'
import { type ClassifyTools, classify } from './classify.ts'
import { exportKind } from './export.ts'
import { httpRequest } from './http-request.ts'
import { orchestra } from './orchestra.ts'
import { replay } from './replay.ts'

/** The kinds of this domain. `tools`: where jobs run; null where they are only taken. */
export function builtInKinds(tools: ClassifyTools | null): Kind[] {
  return [httpRequest(), replay(), classify(tools), exportKind(), orchestra()]
}
