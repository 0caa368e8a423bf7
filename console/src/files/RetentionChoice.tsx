import { useApolloClient } from '@apollo/client/react'
import { useState } from 'react'
import type { Retention } from '../apollo/operations.ts'
import { wordFailure } from '../apollo/takeSuccess.ts'
import { useMay } from '../shell/useShell.ts'
import { say } from '../ui/say.ts'
import { changeRetention } from './changeFiles.ts'

const retentionNames: Record<Retention, string> = {
  KEPT: 'until somebody deletes it',
  WHILE_ATTACHED: 'as long as something uses it',
}

/** How long a file stays; a choice for those who may change it. */
export function RetentionChoice({ file }: { file: { readonly id: string; readonly retention: Retention } }) {
  const client = useApolloClient()
  const mayChange = useMay('MEMBER')
  const [isPending, setPending] = useState(false)
  if (!mayChange) return retentionNames[file.retention]

  async function choose(retention: Retention) {
    setPending(true)
    await changeRetention(client, file.id, retention).catch((error: unknown) => say(wordFailure(error)))
    setPending(false)
  }

  return (
    <select
      className="select retention"
      aria-label="How long it stays"
      value={file.retention}
      aria-busy={isPending}
      onChange={({ target }) => void choose(target.value as Retention)}
    >
      {Object.entries(retentionNames).map(([retention, name]) => (
        <option key={retention} value={retention}>
          {name}
        </option>
      ))}
    </select>
  )
}
