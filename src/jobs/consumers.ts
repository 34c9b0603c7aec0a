export { openRunning, type Running, type RunningOptions } from './running/open-running.ts'
