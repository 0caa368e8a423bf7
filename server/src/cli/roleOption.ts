import { InvalidArgumentError, Option } from 'commander'
import type { Role } from '../domain/context.ts'

const roles: readonly Role[] = ['VIEWER', 'MEMBER', 'ADMIN', 'OWNER']

/** Required wherever it is added. */
export const roleOption = (): Option =>
  new Option('--role <role>', `what they may do: ${roles.join(', ')}`).argParser(readRole).makeOptionMandatory()

function readRole(text: string): Role {
  const role = roles.find((each) => each === text.toUpperCase())
  if (!role) throw new InvalidArgumentError(`Give one of ${roles.join(', ')}.`)
  return role
}
