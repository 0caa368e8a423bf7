/** The settings that the warnings examine. */
interface Settings {
  readonly http: {
    readonly host: string
    readonly publicUrl: string | null
    readonly trustProxy: boolean
    readonly allowedOrigins: readonly string[]
  }
  readonly bucket: { readonly kind: 'embedded' } | { readonly kind: 'external'; readonly publicEndpoint: string }
}

/** True for an address that refers to the machine that uses it. */
const isLoopback = (host: string): boolean => /^(localhost|.*\.localhost|127(\.\d+){3}|\[?::1\]?)$/i.test(host)
const isHttps = (url: string): boolean => url.startsWith('https:')
const hostOf = (url: string): string => new URL(url).hostname

/** Returns a warning, with a remedy, for each combination of addresses that cannot work. */
export function addressWarnings(settings: Settings): string[] {
  return [...proxyWarnings(settings), ...bucketWarnings(settings)]
}

function proxyWarnings({ http: { host, publicUrl, trustProxy, allowedOrigins } }: Settings): string[] {
  const warnings: string[] = []
  const isOpen = !isLoopback(host)
  if (publicUrl === null && isOpen) {
    warnings.push(
      'Other machines reach Filegraph by plain HTTP, so passwords and files travel unencrypted. ' +
        'Put a TLS proxy in front and set PUBLIC_URL to its https: URL; see "Behind a proxy" in the README.',
    )
  }
  if (publicUrl !== null && !isHttps(publicUrl) && !isLoopback(hostOf(publicUrl))) {
    warnings.push(
      `PUBLIC_URL=${publicUrl} is not encrypted, so passwords and files can be read on the way and cookies are not secure. ` +
        'Set PUBLIC_URL to an https: URL.',
    )
  }
  if (publicUrl !== null && isLoopback(hostOf(publicUrl)) && isOpen) {
    warnings.push(
      `PUBLIC_URL=${publicUrl} leads other machines to themselves, so their uploads and downloads fail. ` +
        'Remove PUBLIC_URL, or set it to a URL that they can reach.',
    )
  }
  if (publicUrl !== null && isHttps(publicUrl) && !trustProxy) {
    warnings.push(
      'Every caller seems to have the address of the proxy, in the audit log and for the bound on failed sign-ins. ' +
        'Set TRUST_PROXY=true if the proxy sets x-forwarded-for.',
    )
  }
  if (publicUrl !== null && !isHttps(publicUrl) && allowedOrigins.some(isHttps)) {
    warnings.push(
      `Browsers let no page of ${allowedOrigins.find(isHttps)} call PUBLIC_URL=${publicUrl}, which is not encrypted. ` +
        'Set PUBLIC_URL to an https: URL.',
    )
  }
  return warnings
}

function bucketWarnings({ http: { host, publicUrl }, bucket }: Settings): string[] {
  if (bucket.kind === 'embedded') return []
  const warnings: string[] = []
  const endpoint = bucket.publicEndpoint
  const isSeenFromElsewhere = publicUrl === null ? !isLoopback(host) : !isLoopback(hostOf(publicUrl))
  if (isSeenFromElsewhere && isLoopback(hostOf(endpoint))) {
    warnings.push(
      `Other machines are sent to ${endpoint} for the bytes of files, which leads them to themselves. ` +
        'Set S3_PUBLIC_ENDPOINT to a URL of the store that they can reach.',
    )
  } else if (publicUrl !== null && isHttps(publicUrl) && !isHttps(endpoint)) {
    warnings.push(
      `Browsers let no page of ${publicUrl} load from ${endpoint}, which is not encrypted. ` +
        'Set S3_PUBLIC_ENDPOINT to an https: URL of the store.',
    )
  }
  if (publicUrl === null && !isLoopback(host)) {
    warnings.push(
      "The bucket's CORS rule does not let in the console of other machines, whose address is not known. " +
        'Set PUBLIC_URL, then run: npm run -s filegraph -- cors apply',
    )
  }
  return warnings
}
