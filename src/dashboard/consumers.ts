export { queueAlertHandler } from './alerts/deliver.ts'
export { alertsUpkeep } from './alerts/upkeep.ts'
