export { queueAlertHandler } from './alerts/deliver.ts'
