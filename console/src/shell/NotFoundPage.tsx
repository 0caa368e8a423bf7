import { Compass } from 'lucide-react'
import { Link } from 'react-router'
import { paths } from '../paths.ts'
import { Notice } from '../ui/Notice.tsx'

export function NotFoundPage() {
  return (
    <main>
      <title>Not found · Filegraph</title>
      <Notice icon={Compass} title="There is nothing here">
        <p>This address leads nowhere. It may have been mistyped.</p>
        <Link to={paths.start()} className="button">
          Go to your files
        </Link>
      </Notice>
    </main>
  )
}
