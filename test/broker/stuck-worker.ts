import { broker, noteQueue } from './server.ts'

/** A worker that takes one job and never ends it. Arguments: the engine's URL, the queue's name. */
const [url = '', name = ''] = process.argv.slice(2)

broker(url, 'stuck').consume(
  noteQueue({ name }),
  async (_, { id }) => {
    console.log(`begun ${id}`)
    await new Promise(() => {})
  },
  { onError: (error) => console.error(error) },
)
