// Which proxy a request goes through, by the environment variables that curl made common. Pure. The choice is made
// once: a client has one origin.

import { BlockList, isIP } from 'node:net'
import { ConfigError } from '../errors.js'
import type { Warning } from '../record.js'

/**
 * The proxy for `url`, or null. HTTPS_PROXY serves https and HTTP_PROXY http, ALL_PROXY where there is none of these,
 * NO_PROXY lists exceptions; the lowercase name goes first, as in curl. A loopback host is always reached directly:
 * plain http is allowed there because nothing leaves the machine.
 * @throws ConfigError ERR_OPTION_INVALID for a proxy that is no http(s) URL; the message holds no password
 */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv): URL | null {
  const { name, value } = variableFor(url, env)
  const exceptions = env['no_proxy'] ?? env['NO_PROXY'] ?? ''
  if (value === '' || isLoopback(url.hostname) || isExempt(url, exceptions)) return null

  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`
  const proxy = URL.canParse(text) ? new URL(text) : null
  if (proxy === null || !/^https?:$/.test(proxy.protocol) || proxy.hostname === '') {
    if (proxy !== null && isForAll(name) && isSocks(proxy)) return null
    throw new ConfigError('ERR_OPTION_INVALID', `${name.toUpperCase()} is not an http or https URL`, {
      hint: 'use http://[user:password@]host:port',
    })
  }
  return proxy
}

/** What the user should know of the choice. */
export function proxyWarnings(url: URL, env: NodeJS.ProcessEnv): Warning[] {
  const { name, value } = variableFor(url, env)
  const isPassedOver = isForAll(name) && URL.canParse(value) && isSocks(new URL(value)) && proxyFor(url, env) === null
  if (!isPassedOver || isLoopback(url.hostname) || isExempt(url, env['no_proxy'] ?? env['NO_PROXY'] ?? '')) return []
  const message = 'ALL_PROXY is a SOCKS proxy, which truto-export has none of: the server is asked directly'
  return [{ code: 'proxy-not-used', message, count: 1 }]
}

/** The variable that counts; of one that is set, an empty value says that there is no proxy. */
function variableFor(url: URL, env: NodeJS.ProcessEnv): { name: string; value: string } {
  const own = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy'
  const names = [own, own.toUpperCase(), 'all_proxy', 'ALL_PROXY']
  const name = names.find((other) => env[other] !== undefined) ?? own
  return { name, value: (env[name] ?? '').trim() }
}

function isForAll(name: string): boolean {
  return name.toLowerCase() === 'all_proxy'
}

function isSocks({ protocol }: URL): boolean {
  return /^socks(?:4a?|5h?)?:$/.test(protocol)
}

/** `127.0.0.0/8`, `::1` and `localhost`. `hostname` is that of a WHATWG URL: lowercase, IPv4 in dotted form, IPv6 in
 *  brackets. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}

/** NO_PROXY as curl reads it: hosts separated by commas or spaces, each with all of its subdomains, `*` for all; a port
 *  may follow. Of addresses a whole network may be named, as `10.0.0.0/8`. */
function isExempt(url: URL, exceptions: string): boolean {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return exceptions
    .toLowerCase()
    .split(/[,\s]+/)
    .filter(Boolean)
    .some((exception) => {
      if (exception === '*') return true
      if (exception.includes('/')) return isInNetwork(url.hostname, exception)
      const match = /^(?:\*?\.)?(.+?)(?::(\d+))?$/.exec(exception)
      // An IPv6 address in brackets ends with one; without brackets its last group would be taken for a port.
      const isBareIpv6 = exception.split(':').length > 2 && !exception.startsWith('[')
      const [host, onPort] = isBareIpv6 ? [`[${exception}]`, undefined] : [match![1]!, match![2]]
      const isHost = url.hostname === host || (!isBareIpv6 && url.hostname.endsWith(`.${host}`))
      return isHost && (onPort === undefined || onPort === port)
    })
}

/** Whether a host that is an address is in a network such as `10.0.0.0/8` or `fd00::/8`. */
function isInNetwork(hostname: string, network: string): boolean {
  const [, base, bits] = /^\[?([0-9a-f.:]+)\]?\/(\d{1,3})$/.exec(network) ?? []
  const address = hostname.replace(/^\[(.*)\]$/, '$1')
  const version = isIP(address)
  if (base === undefined || version === 0 || isIP(base) !== version) return false
  if (Number(bits) > (version === 4 ? 32 : 128)) return false
  const family = version === 4 ? 'ipv4' : 'ipv6'
  const list = new BlockList()
  list.addSubnet(base, Number(bits), family)
  return list.check(address, family)
}
