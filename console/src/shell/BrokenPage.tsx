import { CircleAlert } from 'lucide-react'
import { Button } from '../ui/Button.tsx'
import { Notice } from '../ui/Notice.tsx'

/** What is left to say when a page could not be shown or loaded, for example right after an update. */
export function BrokenPage() {
  return (
    <main>
      <title>Filegraph</title>
      <Notice icon={CircleAlert} title="This page could not be shown" isAlert>
        <p>Loading it again usually helps. Your files are safe.</p>
        <Button look="primary" onPress={() => location.reload()}>
          Load again
        </Button>
      </Notice>
    </main>
  )
}
