import { ArrowUp } from 'lucide-react'
import { Button } from './Button.tsx'
import { formatCount } from './formatBytes.ts'

interface Offer {
  readonly added: number
  readonly isAtLeast: boolean
  readonly show: () => void
}

/** Offers rows that have come since the list was loaded. They would move what somebody reads, so they wait for a press. */
export function NewsPill({ news, what }: { news: Offer | null; what: readonly [one: string, many: string] }) {
  return (
    <div className="news" role="status">
      {news && (
        <Button look="primary" onPress={news.show}>
          <ArrowUp size={16} aria-hidden /> {wordNews(news, what)}
        </Button>
      )}
    </div>
  )
}

function wordNews({ added, isAtLeast }: Offer, [one, many]: readonly [string, string]): string {
  if (added === 0) return 'Show changes'
  return `${isAtLeast ? 'At least ' : ''}${formatCount(added)} new ${added === 1 ? one : many}`
}
