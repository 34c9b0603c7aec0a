import type {
  AppControllerRoute,
  AppViewRoute,
  BullBoardQueues,
  IServerAdapter,
  UIConfig,
} from '@bull-board/api/dist/types.js'

/** What bull-board hands to a server: its queues, its routes and where its files are. */
export type Parts = {
  queues: BullBoardQueues
  views: string
  files: string
  entry: AppViewRoute | null
  routes: AppControllerRoute[]
  config: UIConfig
}

/** Takes what bull-board hands over; the answering is `answer.ts`. */
export function partsAdapter(): IServerAdapter & { parts: Parts } {
  const parts: Parts = { queues: new Map(), views: '', files: '', entry: null, routes: [], config: {} }
  const adapter: IServerAdapter & { parts: Parts } = {
    parts,
    setQueues: (queues) => set({ queues }),
    setViewsPath: (views) => set({ views }),
    setStaticPath: (_, files) => set({ files }),
    setEntryRoute: (entry) => set({ entry }),
    setErrorHandler: () => adapter,
    setApiRoutes: (routes) => set({ routes }),
    setUIConfig: (config) => set({ config }),
  }
  return adapter

  function set(part: Partial<Parts>): typeof adapter {
    Object.assign(parts, part)
    return adapter
  }
}
