/** From the most rights to the fewest. */
export const ROLES = ['OWNER', 'ADMIN', 'VIEWER'] as const
export type Role = (typeof ROLES)[number]
