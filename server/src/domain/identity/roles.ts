import { roles } from '../../database/tables/identityTables.ts'
import type { Role } from '../context.ts'

/** Each role may do all that the ones before it may: VIEWER, MEMBER, ADMIN, OWNER. */
export const isAtLeast = (role: Role, needed: Role): boolean => roles.indexOf(role) >= roles.indexOf(needed)

/** The same words for a tenant of others as for one that does not exist. */
export const noSuchTenant = 'You have no access to this tenant, or it does not exist.'
