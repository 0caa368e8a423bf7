/** The same words for a tenant of others as for one that does not exist. */
export const noSuchTenant = 'You have no access to this tenant, or it does not exist.'
