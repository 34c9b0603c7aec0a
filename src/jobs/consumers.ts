export { openRunning, type Running, type RunningOptions } from './running/open-running.ts'
export { jobWebhookHandler } from './webhooks/deliver.ts'
