import { skipToken, useQuery } from '@apollo/client/react'
import { type PersonFragment, PersonByIdDocument } from '../apollo/operations.ts'
import { useShell } from '../shell/useShell.ts'

/** Whom an id names; null if it names nobody in this tenant, undefined until that is known. */
export function usePerson(id: string | undefined): Pick<PersonFragment, 'id' | 'name'> | null | undefined {
  const me = useShell()?.viewer?.principal
  const isKnown = id === undefined || id === me?.id
  const { data, error } = useQuery(PersonByIdDocument, isKnown ? skipToken : { variables: { id } })
  if (isKnown) return id === undefined ? null : me
  if (error) return null
  if (!data) return undefined
  return data.node?.__typename === 'Principal' ? data.node : null
}
