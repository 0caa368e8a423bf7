import { skipToken, useQuery } from '@apollo/client/react'
import { CleanupItemsDocument, type CleanupRowFragment } from '../apollo/operations.ts'
import { wordError } from '../apollo/wordRefusal.ts'
import { Fact } from '../ui/Fact.tsx'
import { formatBytes } from '../ui/formatBytes.ts'
import { nameOfOutcome } from './cleanupWords.ts'
import { isUnfinished } from './summaryOf.ts'

/** As many as the API keeps of a run. */
const keptItems = 100

/** What a run dealt with, thing by thing. It is known when the run has ended. */
export function RunItems({ run }: { run: CleanupRowFragment }) {
  const { data, error } = useQuery(CleanupItemsDocument, isUnfinished(run) ? skipToken : { variables: { id: run.id } })
  if (error) return <Fact label="Things">{wordError(error)}</Fact>
  if (!data?.node || !('items' in data.node) || data.node.items.length === 0) return null
  const { items } = data.node
  return (
    <Fact label="Things">
      <ol className="run-items" aria-label="Things that it dealt with">
        {items.map(({ what, key, byteSize }, at) => (
          <li key={at}>
            <code className="mono">{key}</code>
            <span className="soft">
              {nameOfOutcome(what, run)}
              {byteSize !== null && ` · ${formatBytes(byteSize)}`}
            </span>
          </li>
        ))}
      </ol>
      {items.length === keptItems && <p className="soft">Only the first {keptItems} are on record.</p>}
    </Fact>
  )
}
