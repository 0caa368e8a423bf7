import type { Role } from '../apollo/operations.ts'

export const roleNames: Record<Role, string> = {
  VIEWER: 'Viewer',
  MEMBER: 'Member',
  ADMIN: 'Administrator',
  OWNER: 'Owner',
}
