export { openRunning, type Running, type RunningOptions } from './running/open-running.ts'
export { serveApart } from './running/serve-apart.ts'
export { jobWebhookHandler } from './webhooks/deliver.ts'
