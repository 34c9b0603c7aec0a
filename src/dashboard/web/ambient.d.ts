declare module '*.css'

/** Bun's, which the server has and the browsers' declarations lack: the server's types are read here, too. */
interface ReadableStream {
  text(): Promise<string>
}
