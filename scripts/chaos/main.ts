/**
 * `bun run chaos [case…] [--seconds N] [--seed N]`: breaks things under load, then counts: what clients saw is what
 * the upstream answered is what the record holds. Exit code 1 on any loss, duplicate or difference.
 */
import { parseArgs } from 'node:util'
import { type ChaosCase, cases as recordCases } from './cases.ts'
import { jobCases } from './job-cases.ts'
import { passed, type Reconciled } from './reconcile.ts'

const cases: Record<string, ChaosCase> = { ...recordCases, ...jobCases }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  console.log('bun run chaos [case…] [--seconds N] [--seed N]\n')
  for (const [name, { what }] of Object.entries(cases)) console.log(`  ${name.padEnd(12)} ${what}`)
} else {
  process.exit(await main(positionals.length > 0 ? positionals : Object.keys(cases)))
}

async function main(names: string[]): Promise<number> {
  const unknown = names.find((name) => !(name in cases))
  if (unknown !== undefined) {
    console.error(`chaos ${unknown}: no such case; there are ${Object.keys(cases).join(', ')}`)
    return 2
  }
  const options = { seconds: Number(values.seconds), seed: Number(values.seed) }
  const results: Reconciled[] = []
  let failures = 0
  for (const name of names) {
    console.error(`${name}: ${cases[name]?.what}`)
    try {
      const result = await (cases[name] as ChaosCase).run(name, options)
      results.push(result)
      if (!passed(result)) failures++
    } catch (error) {
      console.error(`${name}: ${error instanceof Error ? error.message : error}`)
      failures++
    }
  }
  console.table(results)
  const repeat = `bun run chaos ${names.join(' ')} --seconds ${options.seconds} --seed ${options.seed}`
  console.log(`${failures === 0 ? 'nothing lost' : `${failures} failed`}; to repeat: ${repeat}`)
  return failures === 0 ? 0 : 1
}
