/** Browsers hash a whole buffer at once, so that larger files would have to lie in memory. */
const largestHashedBytes = 64 * 1024 * 1024

/** SHA-256 in 64 hexadecimal digits; null for files over 64 MiB, and where the page is not served securely. */
export async function sha256Of(bytes: Blob): Promise<string | null> {
  if (bytes.size > largestHashedBytes || !globalThis.crypto?.subtle) return null
  const digest = await crypto.subtle.digest('SHA-256', await bytes.arrayBuffer())
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
