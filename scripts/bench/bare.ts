/** The yardstick: the least that a proxy on Bun can be. Streams both ways, records nothing. */
const upstream = process.argv[2] ?? ''

const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  idleTimeout: 0,
  maxRequestBodySize: 1024 ** 3,
  async fetch(request) {
    const path = request.url.slice(request.url.indexOf('/', 8))
    const answer = await fetch(upstream + path, {
      method: request.method,
      headers: request.headers,
      body: request.body,
      decompress: false,
    })
    return new Response(answer.body, { status: answer.status, headers: answer.headers })
  },
})
console.log(server.port)
