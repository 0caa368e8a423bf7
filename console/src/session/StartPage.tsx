import { useQuery } from '@apollo/client/react'
import { Building2, CloudOff } from 'lucide-react'
import { useEffect, useMemo } from 'react'
import { Navigate } from 'react-router'
import { TenantsDocument } from '../apollo/operations.ts'
import { clientWithoutTenant } from '../apollo/tenantClients.ts'
import { codeOf, wordError } from '../apollo/wordRefusal.ts'
import { paths } from '../paths.ts'
import { Button } from '../ui/Button.tsx'
import { Notice } from '../ui/Notice.tsx'
import { readLastTenant } from './session.ts'

/** Redirects to the files of the tenant that was open last, or of the first one. */
export function StartPage() {
  const client = useMemo(clientWithoutTenant, [])
  useEffect(() => () => client.stop(), [client])
  const { data, error, refetch } = useQuery(TenantsDocument, { client, fetchPolicy: 'network-only' })

  if (data?.viewer) {
    const slugs = data.viewer.tenants.map(({ slug }) => slug)
    const last = readLastTenant()
    const slug = last !== null && slugs.includes(last) ? last : slugs[0]
    if (slug) return <Navigate to={paths.files(slug)} replace />
    return (
      <Notice icon={Building2} title="No workspace yet">
        <p>Your account works, but nobody has added it to a workspace. Ask your administrator.</p>
      </Notice>
    )
  }
  if (!error || codeOf(error) === 'UNAUTHENTICATED') return null
  return (
    <Notice icon={CloudOff} title="Filegraph is not available" isAlert>
      <p>{wordError(error)}</p>
      <Button onPress={() => void refetch()}>Try again</Button>
    </Notice>
  )
}
