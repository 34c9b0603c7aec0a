/**
 * What people look at.
 *
 * board     all queues as they are now, looked at once for all who watch
 * look      one round of questions to the engine and the database
 * reading   what one such question answered
 */
export type { Board } from './board-deps.ts'
export { type BoardOptions, openBoard } from './open-board.ts'
