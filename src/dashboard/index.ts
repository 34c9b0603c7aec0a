/**
 * What people look at.
 *
 * board     all queues as they are now, looked at once for all who watch
 * look      one round of questions to the engine and the database
 * rule      what operators want to be told; fires and resolves
 * reading   what one such question answered
 */
export { type AlertWatchOptions, watchAlerts } from './alerts/watch.ts'
export type { Board } from './board-deps.ts'
export { type BoardOptions, openBoard } from './open-board.ts'
