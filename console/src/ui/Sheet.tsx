import { X } from 'lucide-react'
import type { ReactNode } from 'react'
import { Dialog as Inside } from 'react-aria-components/Dialog'
import { Modal, ModalOverlay } from 'react-aria-components/Modal'
import { Button } from './Button.tsx'

/** A line of a `<dl className="facts">`. */
export function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  )
}

interface SheetProps {
  readonly label: string
  readonly isLoaded: boolean
  /** Why it could not be loaded, in words. */
  readonly failure: string | null
  readonly onRetry: () => void
  readonly onClose: () => void
  /** Shown once it is loaded. */
  readonly children: ReactNode
}

/** A panel at the edge of the page with the details of one row of a list. */
export function Sheet({ label, isLoaded, failure, onRetry, onClose, children }: SheetProps) {
  return (
    <ModalOverlay className="overlay overlay-sheet" isOpen isDismissable onOpenChange={(open) => !open && onClose()}>
      <Modal className="sheet">
        <Inside className="dialog" aria-label={label}>
          <Button look="icon" aria-label="Close" onPress={onClose}>
            <X size={18} aria-hidden />
          </Button>
          {isLoaded && children}
          {!isLoaded && failure === null && <span className="skeleton" role="status" aria-label="Loading" />}
          {!isLoaded && failure !== null && (
            <>
              <p role="alert">{failure}</p>
              <Button onPress={onRetry}>Try again</Button>
            </>
          )}
        </Inside>
      </Modal>
    </ModalOverlay>
  )
}

/** The content of a sheet whose row does not exist, with links to other pages. */
export function NoSuchRow({ words, children }: { words: string; children: ReactNode }) {
  return (
    <>
      <p role="alert">{words}</p>
      <div className="sheet-actions">{children}</div>
    </>
  )
}
