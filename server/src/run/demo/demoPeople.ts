import type { Role } from '../../domain/context.ts'
import { type DemoFile, acmeFiles, globexFiles } from './demoFiles.ts'

/** The password of every demo user. It is printed on the screen, so only the demo may use it. */
export const demoPassword = 'filegraph-demo'

export interface DemoMember {
  readonly email: string
  readonly name: string
  readonly role: Role
}

export interface DemoTenant {
  readonly slug: string
  readonly name: string
  readonly members: readonly DemoMember[]
  readonly files: () => readonly DemoFile[]
}

/** The quota is small. It also distinguishes a demo tenant from a real tenant with the same slug. */
export const demoQuotaBytes = 1_000_000_007

const sam = { email: 'sam@acme.example', name: 'Sam Okafor' }

export const demoTenants: readonly DemoTenant[] = [
  {
    slug: 'acme',
    name: 'Acme Studio',
    members: [
      { email: 'ada@acme.example', name: 'Ada Lindqvist', role: 'OWNER' },
      { ...sam, role: 'ADMIN' },
      { email: 'grace@acme.example', name: 'Grace Moreau', role: 'MEMBER' },
      { email: 'vic@acme.example', name: 'Vic Tanaka', role: 'VIEWER' },
    ],
    files: acmeFiles,
  },
  {
    slug: 'globex',
    name: 'Globex Research',
    members: [{ email: 'hugo@globex.example', name: 'Hugo Brandt', role: 'OWNER' }],
    files: globexFiles,
  },
]

/** Added last. If this member is missing, the seed was interrupted. */
export const lastMember = { ...sam, role: 'MEMBER', tenantSlug: 'globex' } as const
