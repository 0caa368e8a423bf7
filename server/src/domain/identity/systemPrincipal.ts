import type { Principal } from '../context.ts'

const systemId = '00000000-0000-7000-8000-000000000001'

/** Filegraph itself in a tenant: jobs, the command line, the demo. The same id everywhere, a row of its own per tenant. */
export const systemPrincipal = (tenantId: string): Principal => ({
  tenantId,
  id: systemId,
  kind: 'SYSTEM',
  subject: systemId,
  name: 'Filegraph',
  email: null,
  role: 'OWNER',
})
