import type { ReactNode } from 'react'
import { Dialog as Inside, Heading } from 'react-aria-components/Dialog'
import { Modal, ModalOverlay } from 'react-aria-components/Modal'

interface DialogProps {
  readonly title: string
  readonly onClose: () => void
  readonly children: ReactNode
  /** True where it tells or asks something that nobody should miss, so that all of it is read out. */
  readonly isAlert?: boolean
}

/** A question in the middle of the page. Focus goes in, stays in, and comes back. */
export function Dialog({ title, onClose, children, isAlert = false }: DialogProps) {
  return (
    <ModalOverlay className="overlay" isOpen isDismissable onOpenChange={(open) => !open && onClose()}>
      <Modal className="modal">
        <Inside className="dialog" role={isAlert ? 'alertdialog' : 'dialog'}>
          <Heading slot="title" level={2}>
            {title}
          </Heading>
          {children}
        </Inside>
      </Modal>
    </ModalOverlay>
  )
}
