import { eq } from 'drizzle-orm'
import { users } from '../../database/tables/identityTables.ts'
import type { TenantDatabase } from '../../database/tenantDatabase.ts'
import { normalizeEmail } from './emailAddress.ts'

export interface User {
  readonly id: string
  readonly email: string
  readonly name: string
}

/** Null when nobody has the address. */
export async function findUser(database: TenantDatabase, email: string): Promise<User | null> {
  const [user] = await database.lookUp((db) =>
    db
      .select({ id: users.id, email: users.email, name: users.name })
      .from(users)
      .where(eq(users.email, normalizeEmail(email))),
  )
  return user ?? null
}
