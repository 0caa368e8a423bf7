import { TriangleAlert } from 'lucide-react'
import { Time } from '../ui/Time.tsx'

/** What administrators have to know while nothing is deleted from the bucket, and who can end it. */
export function DeletesRefused({ since }: { since: string }) {
  return (
    <aside className="deletes-refused" aria-label="Nothing is deleted from the storage">
      <TriangleAlert size={18} aria-hidden />
      <p>
        <strong>Nothing is deleted from the storage.</strong> Since <Time at={since} /> it is in doubt which database
        the bucket belongs to: a second one may be using it, or one of the two was restored. Uploads and downloads work
        as before. Whoever runs Filegraph has to decide, with{' '}
        <code className="mono" translate="no">
          npm run filegraph -- accept-bucket
        </code>
        .
      </p>
    </aside>
  )
}
