import type { FileRowFragment } from '../apollo/operations.ts'
import { useApolloClient } from '@apollo/client/react'
import { useShell } from '../shell/useShell.ts'

type Uploader = FileRowFragment['uploadedBy']

/** Whom the list can be narrowed to: oneself, and everybody whose files were seen in this tenant so far. */
export function useUploaders(files: readonly FileRowFragment[]): { id: string; name: string }[] {
  const me = useShell()?.viewer.principal
  const known = seenIn(useApolloClient())
  for (const { uploadedBy } of files) known.set(uploadedBy.id, uploadedBy)
  const others = [...known.values()].filter(({ id }) => id !== me?.id).sort((a, b) => a.name.localeCompare(b.name))
  return me ? [{ id: me.id, name: 'me' }, ...others] : others
}

const seen = new WeakMap<object, Map<string, Uploader>>()

/** Per client, and so per tenant: narrowing the list must not shorten the choice. */
function seenIn(client: object): Map<string, Uploader> {
  const known = seen.get(client) ?? new Map<string, Uploader>()
  seen.set(client, known)
  return known
}
