import { join } from 'node:path'
import { promisify } from 'node:util'
import { constants, gzip, zstdCompress } from 'node:zlib'

export type Asset = {
  type: string
  plain: Uint8Array
  gzip: Uint8Array
  zstd: Uint8Array
}

/** The pages as a browser gets them: built from source once a process, in memory. */
export type Bundle = {
  html: string
  /** By file name, which has a hash of what is in it. */
  assets: ReadonlyMap<string, Asset>
}

/** What React's source asks for, to leave out what only helps its developers. */
const modeOfReact = ['process', 'env', 'NODE_ENV'].join('.')
const entries = ['main.tsx', 'live-worker.ts'].map((name) => join(import.meta.dir, '..', 'web', name))
const packGzip = promisify(gzip)
const packZstd = promisify(zstdCompress)
const hardest = { params: { [constants.ZSTD_c_compressionLevel]: 19 } }

/** @throws AggregateError where the source does not build */
export async function buildBundle(): Promise<Bundle> {
  const built = await Bun.build({
    entrypoints: entries,
    target: 'browser',
    minify: true,
    naming: { entry: '[name]-[hash].[ext]', chunk: '[name]-[hash].[ext]', asset: '[name]-[hash].[ext]' },
    define: { [modeOfReact]: '"production"' },
    throw: true,
  })
  const assets = new Map<string, Asset>()
  const scripts: string[] = []
  const styles: string[] = []
  for (const output of built.outputs) {
    const name = output.path.replace(/^.*\//, '')
    const plain = new Uint8Array(await output.arrayBuffer())
    const [gz, zstd] = await Promise.all([packGzip(plain, { level: 9 }), packZstd(plain, hardest)])
    const isStyle = name.endsWith('.css')
    assets.set(name, {
      type: isStyle ? 'text/css; charset=utf-8' : 'text/javascript; charset=utf-8',
      plain,
      gzip: gz,
      zstd,
    })
    if (isStyle) styles.push(name)
    else if (output.kind === 'entry-point') scripts.push(name)
  }
  return { html: page(scripts, styles), assets }
}

function page(scripts: readonly string[], styles: readonly string[]): string {
  const script = scripts.find((name) => name.startsWith('main-'))
  const live = scripts.find((name) => name.startsWith('live-worker-'))
  const links = styles.map((name) => `<link rel="stylesheet" href="/queues/assets/${name}">`).join('')
  return `<!doctype html><html lang="en" data-live="/queues/assets/${live}"><head><meta charset="utf-8"><title>Sluice queues</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(icon)}">${links}
<script type="module" src="/queues/assets/${script}"></script></head>
<body><div id="app"></div><noscript>This page needs JavaScript; the same is at /api/queues.</noscript></body></html>`
}

const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0f766e"/><path d="M8 9h16M8 16h11M8 23h6" stroke="#fff" stroke-width="3" stroke-linecap="round"/></svg>'
