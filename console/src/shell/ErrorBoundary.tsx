import { CircleAlert } from 'lucide-react'
import { Component, type ReactNode } from 'react'
import { Button } from '../ui/Button.tsx'
import { Notice } from '../ui/Notice.tsx'

/** Shown if a page cannot be rendered or loaded, for example right after an update. */
function BrokenPage() {
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

/** Catches unexpected errors, and pages that an update has removed from the server. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { isBroken: boolean }> {
  override state = { isBroken: false }

  static getDerivedStateFromError() {
    return { isBroken: true }
  }

  override render() {
    return this.state.isBroken ? <BrokenPage /> : this.props.children
  }
}
