/** Revisions that this side speaks, newest first. */
export const modernVersions: readonly string[] = ['2026-07-28']
export const legacyVersions: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']
