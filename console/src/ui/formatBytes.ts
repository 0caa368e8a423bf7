const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const

/** "412 bytes", "1.4 MB": powers of 1000, as file managers and the quota count them. */
export function formatBytes(bytes: number): string {
  const step = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** step
  // 999,950 bytes would read "1,000 kB".
  if (step < units.length - 1 && step > 0 && Number(value.toPrecision(3)) >= 1000) return formatIn(1, step + 1)
  return formatIn(value, step)
}

function formatIn(value: number, step: number): string {
  const unit = units[step] ?? 'byte'
  return new Intl.NumberFormat('en', {
    style: 'unit',
    unit,
    unitDisplay: step === 0 ? 'long' : 'short',
    maximumFractionDigits: value < 10 && step > 0 ? 1 : 0,
  }).format(value)
}
