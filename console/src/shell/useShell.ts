import { useQuery } from '@apollo/client/react'
import { useParams } from 'react-router'
import { type Role, type ShellFragment, ShellPartsDocument } from '../apollo/operations.ts'

/**
 * The viewer and the tenant. Undefined until the page has its first response. Reads the cache only: every page queries them
 * together with its rows, so that opening a page is one request.
 */
export function useShell(): ShellFragment | undefined {
  const { data } = useQuery(ShellPartsDocument, { fetchPolicy: 'cache-only' })
  return data
}

const ranks: Record<Role, number> = { VIEWER: 0, MEMBER: 1, ADMIN: 2, OWNER: 3 }

/** Whether the viewer has `role` or a higher one. False until the viewer is loaded. */
export function useMay(role: Role): boolean {
  const viewer = useShell()?.viewer
  return viewer ? ranks[viewer.role] >= ranks[role] : false
}

/** The tenant of the address. */
export function useTenant(): string {
  return useParams()['tenant'] ?? ''
}
