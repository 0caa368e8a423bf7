import type { ReactNode } from 'react'
import { Dialog as Inside, Heading } from 'react-aria-components/Dialog'
import { Modal, ModalOverlay } from 'react-aria-components/Modal'

interface DialogProps {
  readonly title: string
  readonly onClose: () => void
  readonly children: ReactNode
  /** True if screen readers must read the whole text. */
  readonly isAlert?: boolean
}

/** A modal dialog. It takes the focus, keeps it inside, and returns it when it closes. */
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
