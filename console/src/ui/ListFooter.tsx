import { Button } from './Button.tsx'

interface ListFooterProps {
  readonly hasMore: boolean
  readonly isLoading: boolean
  /** Why the next rows could not be loaded, in words. */
  readonly failure: string | null
  readonly onMore: () => void
  readonly end: string
}

/** Scrolling loads more by itself; the button is for everybody who does not scroll, and for the second try. */
export function ListFooter({ hasMore, isLoading, failure, onMore, end }: ListFooterProps) {
  return (
    <div className="table-foot">
      {failure && <p role="alert">{failure}</p>}
      {hasMore ? (
        <Button onPress={onMore} isPending={isLoading}>
          {isLoading ? 'Loading …' : 'Load more'}
        </Button>
      ) : (
        <p>{end}</p>
      )}
    </div>
  )
}
