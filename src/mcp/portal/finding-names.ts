/** The two tools by which a client finds and calls all others. */
export const searchToolsName = 'search_tools'
export const callToolName = 'call_tool'
export const findingNames: ReadonlySet<string> = new Set([searchToolsName, callToolName])
