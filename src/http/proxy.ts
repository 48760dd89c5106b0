// Which proxy a request goes through, by the environment variables that curl made common. Pure. The choice is made once: a client has one origin.

import { ConfigError } from '../errors.js'

/**
 * The proxy for `url`, or null. HTTPS_PROXY serves https and HTTP_PROXY http, NO_PROXY lists exceptions; the lowercase name goes first, as in
 * curl. A loopback host is always reached directly: plain http is allowed there because nothing leaves the machine.
 * @throws ConfigError ERR_OPTION_INVALID for a proxy that is no http(s) URL; the message holds no password
 */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv): URL | null {
  const name = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy'
  const value = (env[name] ?? env[name.toUpperCase()] ?? '').trim()
  const exceptions = env['no_proxy'] ?? env['NO_PROXY'] ?? ''
  if (value === '' || isLoopback(url.hostname) || isExempt(url, exceptions)) return null

  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`
  const proxy = URL.canParse(text) ? new URL(text) : null
  if (proxy === null || !/^https?:$/.test(proxy.protocol) || proxy.hostname === '') {
    throw new ConfigError('ERR_OPTION_INVALID', `${name.toUpperCase()} is not an http or https URL`, {
      hint: 'use http://[user:password@]host:port',
    })
  }
  return proxy
}

/** `127.0.0.0/8`, `::1` and `localhost`. `hostname` is that of a WHATWG URL: lowercase, IPv4 in dotted form, IPv6 in brackets. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}

/** NO_PROXY as curl reads it: hosts separated by commas or spaces, each with all of its subdomains, `*` for all; a port may follow. */
function isExempt(url: URL, exceptions: string): boolean {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return exceptions
    .toLowerCase()
    .split(/[,\s]+/)
    .filter(Boolean)
    .some((exception) => {
      if (exception === '*') return true
      const match = /^(?:\*?\.)?(.+?)(?::(\d+))?$/.exec(exception)
      // An IPv6 address in brackets ends with one; without brackets its last group would be taken for a port.
      const isBareIpv6 = exception.split(':').length > 2 && !exception.startsWith('[')
      const [host, onPort] = isBareIpv6 ? [`[${exception}]`, undefined] : [match![1]!, match![2]]
      const isHost = url.hostname === host || (!isBareIpv6 && url.hostname.endsWith(`.${host}`))
      return isHost && (onPort === undefined || onPort === port)
    })
}
