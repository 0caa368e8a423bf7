import { TriangleAlert } from 'lucide-react'
import { Time } from '../ui/Time.tsx'

/** Tells administrators that nothing is deleted from the bucket, and who can change that. */
export function DeletesRefused({ since }: { since: string }) {
  return (
    <aside className="deletes-refused" aria-label="Nothing is deleted from the storage">
      <TriangleAlert size={18} aria-hidden />
      <p>
        <strong>Nothing is deleted from the storage.</strong> Another database may be using the same bucket. This was
        found <Time at={since} />. Uploads and downloads work as before. Your administrator has to decide, with{' '}
        <code className="mono" translate="no">
          npm run filegraph -- accept-bucket
        </code>
        .
      </p>
    </aside>
  )
}
