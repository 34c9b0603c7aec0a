import { startEmbedded } from '#store'

// Runs the embedded Postgres for a test that kills its supervisor: `bun embedded-child.ts <dir>`.

const [, , dir = ''] = process.argv
try {
  const { url, pid } = await startEmbedded({ dir, durable: false, onLine: (line) => console.log(line) })
  console.log(`up ${pid} ${url}`)
  setInterval(() => {}, 60_000)
} catch (error) {
  console.log(error instanceof Error ? `${error.name}: ${error.message}` : error)
  process.exit(1)
}
