// Takes credentials out of text where it enters our errors and lines, so that no later message can leak them.

/** Shorter ones would blank out ordinary words, and nobody's secret is that short. */
const minSecretLength = 6

/** A function that replaces each of `secrets`, also percent-encoded, by `[redacted]`; null and undefined are left out. */
export function redactor(secrets: readonly (string | null | undefined)[]): (text: string) => string {
  const needles = secrets
    .filter((secret) => typeof secret === 'string' && secret.length >= minSecretLength)
    .flatMap((secret) => [secret!, encodeURIComponent(secret!)])
    // The longest first: of two secrets one may begin with the other.
    .sort((a, b) => b.length - a.length)
  return (text) => needles.reduce((clean, needle) => clean.replaceAll(needle, '[redacted]'), text)
}

/** A copy of parsed JSON with `redact` applied to every string and key in it. `depth` bounds the recursion; what lies deeper is dropped. */
export function redactJson(value: unknown, redact: (text: string) => string, depth = 8): unknown {
  if (typeof value === 'string') return redact(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth === 0) return undefined
  if (Array.isArray(value)) return value.map((element) => redactJson(element, redact, depth - 1))
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [redact(key), redactJson(v, redact, depth - 1)]))
}

/** Path and query of a URL for people: values over 40 characters (cursors, mostly, which may hold anything) are shortened. */
export function shortUrl(url: URL): string {
  const query = url.search
    .slice(1)
    .split('&')
    .map((pair) => {
      const value = pair.slice(pair.indexOf('=') + 1)
      return value.length > 40 ? `${pair.slice(0, pair.length - value.length)}${value.slice(0, 8)}…` : pair
    })
    .join('&')
  return url.origin + url.pathname + (query && `?${query}`)
}
