import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Subprocess } from 'bun'
import { startSluice } from './sluice.ts'

/** Something that a load can be sent to, and the process whose CPU it costs. */
export type Target = {
  name: string
  port: number
  path: string
  headers: Record<string, string>
  /** The process that stands in the path; its children are not counted. */
  pid: number
  stop(): Promise<void>
}

const here = import.meta.dir

export async function startUpstream(): Promise<Target> {
  const { child, port } = await spawnServer(['bun', join(here, 'upstream.ts')])
  return target('direct', port, child.pid, () => stopChild(child))
}

/** @throws Error saying what is missing, where a target cannot be had on this machine */
export async function startTarget(name: string, upstream: Target): Promise<Target> {
  const start = starters[name]
  if (start === undefined) throw new Error(`target ${name}: none of ${Object.keys(starters).join(', ')}`)
  return start(upstream)
}

const starters: Record<string, (upstream: Target) => Promise<Target>> = {
  nginx: startNginx,
  bare: startBare,
  portkey: startPortkey,
  sluice: async (upstream) => {
    const sluice = await startSluice(`http://127.0.0.1:${upstream.port}`)
    return {
      ...target('sluice', sluice.port, sluice.gatewayPid, sluice.stop),
      headers: { authorization: 'Bearer bench' },
    }
  },
}

async function startBare(upstream: Target): Promise<Target> {
  const { child, port } = await spawnServer([
    'bun',
    join(here, 'bare.ts'),
    `http://127.0.0.1:${upstream.port}`,
  ])
  return target('bare', port, child.pid, () => stopChild(child))
}

async function startNginx(upstream: Target): Promise<Target> {
  const binary = Bun.which('nginx')
  if (binary === null) throw new Error('nginx is not installed')
  const dir = mkdtempSync(join(tmpdir(), 'bench-nginx-'))
  const port = await freePort()
  writeFileSync(join(dir, 'nginx.conf'), nginxConfig(dir, port, upstream.port))
  const child = Bun.spawn([binary, '-p', dir, '-c', 'nginx.conf'], { stdout: 'ignore', stderr: 'ignore' })
  await listening(port)
  return target('nginx', port, child.pid, async () => {
    await stopChild(child)
    rmSync(dir, { recursive: true, force: true })
  })
}

function nginxConfig(dir: string, port: number, upstreamPort: number): string {
  return `
    daemon off; master_process off; worker_processes 1; pid ${dir}/pid; error_log ${dir}/error.log crit;
    events { worker_connections 8192; }
    http {
      access_log off; client_max_body_size 0; client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy;
      fastcgi_temp_path ${dir}/f; uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;
      upstream model { server 127.0.0.1:${upstreamPort}; keepalive 128; keepalive_requests 100000000; }
      server {
        listen 127.0.0.1:${port}; keepalive_requests 100000000;
        location / {
          proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection "";
          proxy_buffering off; proxy_request_buffering off;
        }
      }
    }`
}

/** The Node gateway that many teams run; fetched once into `.bench/`. */
async function startPortkey(upstream: Target): Promise<Target> {
  const dir = join(here, '../../.bench')
  const entry = join(dir, 'node_modules/@portkey-ai/gateway/build/start-server.js')
  if (!(await Bun.file(entry).exists())) {
    const install = Bun.spawn(['npm', 'install', '--prefix', dir, '@portkey-ai/gateway@1.15.2'], {
      stdout: 'ignore',
      stderr: 'ignore',
    })
    if ((await install.exited) !== 0) throw new Error('npm could not install @portkey-ai/gateway')
  }
  const port = await freePort()
  const child = Bun.spawn(['node', entry, '--headless', `--port=${port}`], {
    stdout: 'ignore',
    stderr: 'ignore',
  })
  await listening(port)
  return {
    ...target('portkey', port, child.pid, () => stopChild(child)),
    headers: {
      authorization: 'Bearer bench',
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': `http://127.0.0.1:${upstream.port}/v1`,
    },
  }
}

function target(name: string, port: number, pid: number, stop: () => Promise<void>): Target {
  return { name, port, path: '/v1/chat/completions', headers: {}, pid, stop }
}

async function spawnServer(command: string[]): Promise<{ child: Subprocess; port: number }> {
  // Bun's fetch opens 256 connections at most unless told otherwise.
  const env = { ...process.env, BUN_CONFIG_MAX_HTTP_REQUESTS: '65336' }
  const child = Bun.spawn(command, { stdout: 'pipe', stderr: 'inherit', env })
  for await (const chunk of child.stdout) return { child, port: Number(Buffer.from(chunk).toString()) }
  throw new Error(`${command.join(' ')}: ended before it listened`)
}

async function stopChild(child: Subprocess): Promise<void> {
  child.kill('SIGTERM')
  await child.exited
}

async function freePort(): Promise<number> {
  const probe = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const { port } = probe
  probe.stop(true)
  return port
}

async function listening(port: number): Promise<void> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await Bun.sleep(50)) {
    const socket = await Bun.connect({ hostname: '127.0.0.1', port, socket: { data() {} } }).catch(() => null)
    if (socket !== null) return void socket.end()
  }
  throw new Error(`port ${port}: nothing listens after 20 s`)
}
