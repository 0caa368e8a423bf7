/** The shape of what is coming, while it comes. */
export function SkeletonRows() {
  return (
    <div className="table" role="status" aria-label="Loading">
      <div className="table-body">
        {Array.from({ length: 7 }, (_, at) => (
          <div
            key={at}
            className="table-row skeleton-row"
            style={{ transform: `translateY(calc(var(--row) * ${at}))` }}
          >
            <span className="skeleton" style={{ width: `${[62, 44, 71, 53, 38, 66, 49][at] ?? 50}%` }} />
          </div>
        ))}
      </div>
    </div>
  )
}
