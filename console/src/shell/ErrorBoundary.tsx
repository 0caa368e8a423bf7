import { Component, type ReactNode } from 'react'
import { BrokenPage } from './BrokenPage.tsx'

/** Catches what no page expected, and pages that are gone from the server since this one was loaded. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { isBroken: boolean }> {
  override state = { isBroken: false }

  static getDerivedStateFromError() {
    return { isBroken: true }
  }

  override render() {
    return this.state.isBroken ? <BrokenPage /> : this.props.children
  }
}
