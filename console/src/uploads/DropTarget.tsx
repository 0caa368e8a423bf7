import { CloudUpload } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useMay, useShell, useTenant } from '../shell/useShell.ts'
import { say } from '../ui/say.ts'
import { carriesFiles, type Dropped, isEditable, takeDropped } from './dropped.ts'
import { addDropped } from './uploads.ts'

/** Accepts files and folders that are dropped or pasted on any page of a tenant, and says where they go. */
export function DropTarget() {
  const tenant = useTenant()
  const isKnown = useShell() !== undefined
  const mayUpload = useMay('MEMBER')
  const [isOver, setOver] = useState(false)
  // Files that are dropped before the role is loaded wait for it.
  const waiting = useRef<Dropped[]>([])
  const take = useRef(() => {})
  useEffect(() => {
    take.current = () => {
      if (!isKnown) return
      for (const dropped of waiting.current.splice(0)) {
        if (mayUpload) void addDropped(tenant, dropped)
        else say('You can view and download here, but not upload.')
      }
    }
    take.current()
  }, [tenant, isKnown, mayUpload])
  useEffect(
    () =>
      watchDrops(setOver, (dropped) => {
        waiting.current.push(dropped)
        take.current()
      }),
    [],
  )
  if (!isOver) return null
  return (
    <div className="drop-veil">
      <CloudUpload size={44} strokeWidth={1.5} aria-hidden />
      {isKnown && !mayUpload ? 'You can view and download here, but not upload' : 'Drop to upload to Files'}
    </div>
  )
}

function watchDrops(setOver: (isOver: boolean) => void, take: (dropped: Dropped) => void): () => void {
  // Entering a child fires before leaving its parent. Only the count tells whether the pointer has left the page.
  let depth = 0
  const hover = (change: number) => {
    depth = Math.max(0, depth + change)
    setOver(depth > 0)
  }
  const stop = new AbortController()
  const { signal } = stop
  const on = (type: 'dragenter' | 'dragleave' | 'dragover' | 'drop', run: (event: DragEvent) => void) =>
    window.addEventListener(type, (event) => carriesFiles(event) && run(event), { signal })
  on('dragenter', () => hover(1))
  on('dragleave', () => hover(-1))
  on('dragover', (event) => {
    event.preventDefault()
    if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy'
  })
  on('drop', (event) => {
    event.preventDefault()
    hover(-depth)
    const dropped = takeDropped(event.dataTransfer)
    if (dropped.files.length + dropped.folders.length > 0) take(dropped)
  })
  window.addEventListener(
    'paste',
    (event) => {
      if (isEditable(event.target) || !event.clipboardData?.files.length) return
      event.preventDefault()
      take(takeDropped(event.clipboardData))
    },
    { signal },
  )
  return () => stop.abort()
}
