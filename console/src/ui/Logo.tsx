/** A trunk with two branches: files on a graph. */
export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#3a4fd6" />
      <path
        d="M10 22V11.5A2.5 2.5 0 0 1 12.5 9H22M10 16h8"
        fill="none"
        stroke="#fff"
        strokeWidth="2.6"
        strokeLinecap="round"
      />
      <circle cx="22" cy="9" r="2.8" fill="#ffd27a" />
      <circle cx="19" cy="16" r="2.8" fill="#fff" />
      <circle cx="10" cy="23" r="2.8" fill="#fff" />
    </svg>
  )
}
