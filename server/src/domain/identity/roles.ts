import { roles } from '../../database/tables/identityTables.ts'
import type { Role } from '../context.ts'

/** Each role includes the permissions of the ones before it: VIEWER, MEMBER, ADMIN, OWNER. */
export const isAtLeast = (role: Role, needed: Role): boolean => roles.indexOf(role) >= roles.indexOf(needed)

/** The same text for a foreign tenant and for one that does not exist. */
export const noSuchTenant = 'You have no access to this tenant, or it does not exist.'
