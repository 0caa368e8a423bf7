import { formatBytes, formatCount } from '../ui/formatBytes.ts'
import { useShell } from './useShell.ts'

/** How much is stored, and out of how much. What pending uploads have reserved is taken already. */
export function UsageMeter() {
  const usage = useShell()?.usage
  if (!usage) return null
  const used = usage.storedBytes + usage.reservedBytes
  const files = `${formatCount(usage.fileCount)} ${usage.fileCount === 1 ? 'file' : 'files'}`
  if (usage.quotaBytes === null) {
    return (
      <p className="usage soft">
        {files}, {formatBytes(used)}
      </p>
    )
  }
  const share = usage.quotaBytes > 0 ? Math.min(1, used / usage.quotaBytes) : 1
  return (
    <div className="usage soft">
      <p>
        {formatBytes(used)} of {formatBytes(usage.quotaBytes)} used
      </p>
      <div
        className="progress"
        role="meter"
        aria-label="Space used"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share * 100)}
      >
        <div className="progress-fill" style={{ width: `${Math.max(share * 100, 1)}%` }} />
      </div>
      <p>{files}</p>
    </div>
  )
}
