import { expect, test } from 'vitest'
import { isLoopback, proxyFor, proxyWarnings } from '../../src/http/proxy.js'

const https = 'https://api.truto.one/'
const http = 'http://api.truto.one/'
const proxy = 'http://proxy.example:3128'

test.each<[string, string, Record<string, string>, string | null]>([
  ['no variable', https, {}, null],
  ['an https URL and HTTPS_PROXY', https, { HTTPS_PROXY: proxy }, proxy],
  ['an https URL and https_proxy', https, { https_proxy: proxy }, proxy],
  ['the lowercase name before the other', https, { https_proxy: proxy, HTTPS_PROXY: 'http://other' }, proxy],
  ['a lowercase name that is empty', https, { https_proxy: '', HTTPS_PROXY: proxy }, null],
  ['an https URL and HTTP_PROXY alone', https, { HTTP_PROXY: proxy }, null],
  ['an http URL and HTTP_PROXY', http, { HTTP_PROXY: proxy }, proxy],
  ['an http URL and HTTPS_PROXY alone', http, { HTTPS_PROXY: proxy }, null],
  ['a proxy without a scheme', https, { HTTPS_PROXY: 'proxy.example:3128' }, proxy],
  ['a host that is exempt', https, { HTTPS_PROXY: proxy, NO_PROXY: 'api.truto.one' }, null],
  ['a host that is exempt by no_proxy', https, { HTTPS_PROXY: proxy, no_proxy: 'x.org, API.truto.one' }, null],
  ['a domain that is exempt', https, { HTTPS_PROXY: proxy, NO_PROXY: 'truto.one' }, null],
  ['a domain with a dot that is exempt', https, { HTTPS_PROXY: proxy, NO_PROXY: '.truto.one' }, null],
  ['a domain with a star that is exempt', https, { HTTPS_PROXY: proxy, NO_PROXY: '*.truto.one' }, null],
  ['everything exempt', https, { HTTPS_PROXY: proxy, NO_PROXY: 'x.org,*' }, null],
  ['a host that merely ends the same', https, { HTTPS_PROXY: proxy, NO_PROXY: 'uto.one' }, proxy],
  ['the port exempt', https, { HTTPS_PROXY: proxy, NO_PROXY: 'truto.one:443' }, null],
  ['another port exempt', https, { HTTPS_PROXY: proxy, NO_PROXY: 'truto.one:8443' }, proxy],
  ['a bare IPv6 address exempt', 'https://[fd00::1]/', { HTTPS_PROXY: proxy, NO_PROXY: 'fd00::1' }, null],
  [
    'an IPv6 address with port exempt',
    'https://[fd00::1]:8443/',
    { HTTPS_PROXY: proxy, NO_PROXY: '[fd00::1]:8443' },
    null,
  ],
  ['an https URL and ALL_PROXY', https, { ALL_PROXY: proxy }, proxy],
  ['an http URL and all_proxy', http, { all_proxy: proxy, ALL_PROXY: 'http://other' }, proxy],
  ['HTTPS_PROXY before ALL_PROXY', https, { all_proxy: 'http://other', HTTPS_PROXY: proxy }, proxy],
  ['HTTP_PROXY for http, and ALL_PROXY', https, { HTTP_PROXY: 'http://other', ALL_PROXY: proxy }, proxy],
  ['an HTTPS_PROXY that is empty, and ALL_PROXY', https, { HTTPS_PROXY: '', ALL_PROXY: proxy }, null],
  ['ALL_PROXY and a host that is exempt', https, { ALL_PROXY: proxy, NO_PROXY: 'truto.one' }, null],
  ['a SOCKS proxy in ALL_PROXY', https, { ALL_PROXY: 'socks5h://localhost:1080' }, null],
  [
    'an address in a network that is exempt',
    'https://10.1.2.3/',
    { HTTPS_PROXY: proxy, NO_PROXY: 'x, 10.0.0.0/8' },
    null,
  ],
  ['an address in a narrow network', 'https://10.1.2.3/', { HTTPS_PROXY: proxy, NO_PROXY: '10.1.2.2/31' }, null],
  ['an address beside a narrow network', 'https://10.1.2.4/', { HTTPS_PROXY: proxy, NO_PROXY: '10.1.2.2/31' }, proxy],
  ['any address', 'https://10.1.2.3/', { HTTPS_PROXY: proxy, NO_PROXY: '0.0.0.0/0' }, null],
  ['an address of another family', 'https://10.1.2.3/', { HTTPS_PROXY: proxy, NO_PROXY: '::/0' }, proxy],
  ['an IPv6 address in a network', 'https://[fd00::1]/', { HTTPS_PROXY: proxy, NO_PROXY: 'fd00::/8' }, null],
  ['an IPv6 address beside a network', 'https://[fe80::1]/', { HTTPS_PROXY: proxy, NO_PROXY: '[fd00::]/8' }, proxy],
  ['a name, and a network of addresses', https, { HTTPS_PROXY: proxy, NO_PROXY: '0.0.0.0/0' }, proxy],
  ['a network with too many bits', 'https://10.1.2.3/', { HTTPS_PROXY: proxy, NO_PROXY: '10.0.0.0/33' }, proxy],
  ['what only looks like a network', 'https://10.1.2.3/', { HTTPS_PROXY: proxy, NO_PROXY: '10.0.0.0/x,/,10/8' }, proxy],
  ['a loopback host', 'http://127.0.0.1:8080/', { HTTP_PROXY: proxy }, null],
  ['localhost', 'http://localhost:8080/', { HTTP_PROXY: proxy }, null],
])('%s', (_, url, env, expected) => {
  expect(proxyFor(new URL(url), env)?.origin ?? null).toBe(expected)
})

test.each([
  'socks5://user:hunter22@proxy',
  'ftp://user:hunter22@proxy',
  'http://user:hunter22@',
  'http://user:hunter22@a b',
])('a proxy of %s is refused without its password in the message', (value) => {
  expect(() => proxyFor(new URL(https), { HTTPS_PROXY: value })).toThrow(
    expect.objectContaining({ code: 'ERR_OPTION_INVALID', message: expect.not.stringContaining('hunter22') }),
  )
})

test('ALL_PROXY that is no URL is refused by its name', () => {
  expect(() => proxyFor(new URL(https), { all_proxy: 'ftp://proxy' })).toThrow(/^ALL_PROXY is not an http or https URL/)
})

test('a SOCKS proxy in ALL_PROXY is not used, and the user is told', () => {
  const env = { ALL_PROXY: 'socks5://user:hunter22@localhost:1080' }
  expect(proxyWarnings(new URL(https), env)).toEqual([
    { code: 'proxy-not-used', message: expect.stringMatching(/^ALL_PROXY is a SOCKS proxy(?!.*hunter22)/), count: 1 },
  ])
  for (const quiet of [{}, { ...env, HTTPS_PROXY: proxy }, { ...env, NO_PROXY: '*' }, { ALL_PROXY: proxy }]) {
    expect(proxyWarnings(new URL(https), quiet)).toEqual([])
  }
  expect(proxyWarnings(new URL('http://127.0.0.1'), env)).toEqual([])
})

test.each<[string, boolean]>([
  ['http://127.0.0.1', true],
  ['http://127.255.1.2', true],
  ['http://127.1', true],
  ['http://0x7f000001', true],
  ['http://[::1]', true],
  ['http://LOCALHOST', true],
  ['http://localhost.evil.example', false],
  ['http://127.0.0.1.evil.example', false],
  ['http://[::ffff:127.0.0.1]', false],
  ['http://128.0.0.1', false],
  ['http://0.0.0.0', false],
])('%s is loopback: %s', (url, expected) => {
  expect(isLoopback(new URL(url).hostname)).toBe(expected)
})
