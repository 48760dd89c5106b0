// Where connections come from: what is trusted, by way of which proxy, with which bounds.

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import * as tls from 'node:tls'
import type { Dispatcher } from 'undici'
import { ConfigError } from '../errors.js'
import type { Warning } from '../record.js'
import { decodeText } from './query.js'
import { Agent } from './undici/agent.js'
import { attemptTimeoutMs, type Connector, connectorOf, mended } from './undici/connector.js'

export function createDispatcher(options: {
  proxy: URL | null
  connectTimeoutMs: number
  trust: ReturnType<typeof trustOf>
}): Dispatcher {
  const { proxy, connectTimeoutMs, trust } = options
  const connect = {
    timeout: connectTimeoutMs,
    // Said aloud, because NODE_TLS_REJECT_UNAUTHORIZED=0 would be the default otherwise.
    rejectUnauthorized: true,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: attemptTimeoutMs(connectTimeoutMs),
    // what undici says in later versions unless it is told: a body that was cancelled would look like one that ended
    // there
    allowH2: false,
    ...trust,
  }
  // the bound of headers is that of Node.js, so that its setting counts
  const limits = { pipelining: 1, allowH2: false }
  if (proxy === null) return new Agent({ ...limits, connect: connectorOf(connect) })

  // the index, since ProxyAgent needs what that adds to every dispatcher
  const { Pool, ProxyAgent } = createRequire(import.meta.url)('undici') as typeof import('undici')
  const user = `${decodeText(proxy.username)}:${decodeText(proxy.password)}`
  return new ProxyAgent({
    ...limits,
    uri: proxy.origin,
    ...(user === ':' ? {} : { token: `Basic ${Buffer.from(user).toString('base64')}` }),
    requestTls: connect,
    proxyTls: connect,
    // The proxy's answer to CONNECT is part of connecting, and has no other deadline.
    clientFactory: (origin, init) => new Pool(origin, { ...mendedInit(init), headersTimeout: connectTimeoutMs }),
    factory: (origin, init) => new Pool(origin, mendedInit(init)),
  })
}

function mendedInit<T extends object>(init: T): T {
  return 'connect' in init ? { ...init, connect: mended(init.connect as Connector) } : init
}

/** What Node.js trusts (its roots or the system's, NODE_EXTRA_CA_CERTS, as its flags say) and the given certificates;
 *  nothing where none are given, which is the same without them. */
export function trustOf(pem: string | undefined): { secureContext?: tls.SecureContext; ca?: string[] } {
  if (pem === undefined) return {}
  const blocks = certificatesIn(pem)
  try {
    if (blocks.length === 0) throw new Error('it has no certificate in PEM')
    for (const block of blocks) new X509Certificate(block)
  } catch (cause) {
    // TLS would ignore it in silence and then distrust the server.
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError('ERR_OPTION_INVALID', `the given CA file cannot be read: ${why}`, { cause })
  }
  const secureContext = tls.createSecureContext()
  // not in the documentation of Node.js; its option `ca` stands in place of all else that is trusted
  const context: { addCACert?: (pem: string) => void } = secureContext.context
  const all = [...extraCertificates(), ...blocks]
  if (typeof context.addCACert !== 'function') return { ca: [...tls.rootCertificates, ...all] }
  for (const block of all) context.addCACert(block)
  return { secureContext }
}

/** Those of NODE_EXTRA_CA_CERTS, which until Node.js 22 are missing where another one is added. Of a file that it
 *  cannot read Node.js warns by itself. */
function extraCertificates(): string[] {
  const { getCACertificates } = tls as { getCACertificates?: (type: 'extra') => string[] }
  if (getCACertificates !== undefined) return getCACertificates('extra')
  try {
    return certificatesIn(readFileSync(process.env['NODE_EXTRA_CA_CERTS'] ?? '', 'utf8'))
  } catch {
    return []
  }
}

function certificatesIn(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
}

export function tlsWarnings(env: NodeJS.ProcessEnv): Warning[] {
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0') return []
  const message = 'NODE_TLS_REJECT_UNAUTHORIZED=0 has no effect: TLS is verified always; --ca FILE adds a root'
  return [{ code: 'tls-verification-kept', message, count: 1 }]
}
