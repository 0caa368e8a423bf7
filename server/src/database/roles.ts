/** The role of every connection of the application. It owns nothing, and row-level security applies to it. */
export const appRole = 'filegraph_app'

/**
 * Owns the functions that change attachments and has only the privileges that they need. Row-level security applies to
 * it.
 */
export const functionsRole = 'filegraph_functions'

/**
 * Owns the functions that list the tenants in which something is due. It reads times and tenant ids across tenants and writes
 * nothing.
 */
export const scheduleRole = 'filegraph_schedule'

/** For the login of a host application in the same database. It may call the functions of the schema `filegraph`. */
export const hostRole = 'filegraph_host'

export const ourRoles = [appRole, functionsRole, scheduleRole, hostRole] as const
