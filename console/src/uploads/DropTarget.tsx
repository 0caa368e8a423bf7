import { CloudUpload } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { say } from '../ui/say.ts'

/** Takes files that are dropped anywhere on the page, and says so while they hover over it. */
export function DropTarget({ onFiles }: { onFiles: (files: readonly File[]) => void }) {
  const [isOver, setOver] = useState(false)
  const take = useRef(onFiles)
  useEffect(() => {
    take.current = onFiles
  }, [onFiles])
  useEffect(() => watchDrops(setOver, (files) => take.current(files)), [])
  if (!isOver) return null
  return (
    <div className="drop-veil">
      <CloudUpload size={44} strokeWidth={1.5} aria-hidden />
      Drop to upload
    </div>
  )
}

function watchDrops(setOver: (isOver: boolean) => void, take: (files: readonly File[]) => void): () => void {
  // Entering a child fires before leaving its parent: only the count tells whether the pointer left the page.
  let depth = 0
  const hover = (change: number) => {
    depth = Math.max(0, depth + change)
    setOver(depth > 0)
  }
  const stop = new AbortController()
  const on = (type: 'dragenter' | 'dragleave' | 'dragover' | 'drop', run: (event: DragEvent) => void) =>
    window.addEventListener(type, (event) => event.dataTransfer?.types.includes('Files') && run(event), {
      signal: stop.signal,
    })
  on('dragenter', () => hover(1))
  on('dragleave', () => hover(-1))
  on('dragover', (event) => event.preventDefault())
  on('drop', (event) => {
    event.preventDefault()
    hover(-depth)
    const { files, folders } = droppedFiles(event.dataTransfer)
    if (folders > 0) say('Folders cannot be uploaded. Drop the files in them instead.')
    if (files.length > 0) take(files)
  })
  return () => stop.abort()
}

function droppedFiles(data: DataTransfer | null): { files: File[]; folders: number } {
  const items = Array.from(data?.items ?? []).filter(({ kind }) => kind === 'file')
  const isFolder = (item: DataTransferItem) => item.webkitGetAsEntry()?.isDirectory === true
  const files = items.filter((item) => !isFolder(item)).map((item) => item.getAsFile())
  return { files: files.filter((file) => file !== null), folders: items.filter(isFolder).length }
}
