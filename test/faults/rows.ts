// The rows of the fault matrix: what can go wrong, what is owed then, and which tests hold it. Data only, so that what
// prints the matrix can read it as well. Groups: 5.1 connection, TLS, HTTP; 5.2 body transport; 5.3 paging; 5.4
// envelope and JSON; 5.5 transforms; 5.6 sinks; 5.7 surroundings.

/** A test, or a group of them, by its file and its title as the source has it. Of titles that differ from row to row,
 *  `%s` and the like stand for anything. */
export type HeldBy = readonly [file: string, title: string]

export interface Row {
  readonly id: string
  readonly fault: string
  readonly owed: string
  /** Ids of the cases of `matrix.ts`, which run as tests of this row; `*` at the end stands for any rest. */
  readonly cases?: readonly string[]
  readonly tests?: readonly HeldBy[]
  /** What of it does not hold, or is not applicable, and why. A row without cases and tests has to have it. */
  readonly except?: string
}

const connection = 'test/faults/connection.test.ts'
const client = 'test/http/client.test.ts'
const networkError = 'test/http/network-error.test.ts'
const connector = 'test/http/undici/connector.test.ts'
const secrets = 'test/faults/secrets.test.ts'
const heartbeat = 'test/faults/heartbeat.test.ts'
const redirects = 'test/faults/redirects.test.ts'
const resume = 'test/faults/resume.test.ts'
const sweep = 'test/faults/sweep.test.ts'
const sinks = 'test/faults/sinks.test.ts'
const onePage = 'test/faults/one-page.test.ts'
const kill = 'test/faults/kill.test.ts'
const power = 'test/faults/power.test.ts'
const bombs = 'test/faults/bombs.test.ts'
const surroundings = 'test/faults/surroundings.test.ts'
const places = 'test/faults/places.test.ts'
const lostPlace = 'test/destination/lost-place.test.ts'
const slow = 'test/faults/slow-consumer.test.ts'
const abort = 'test/faults/abort.test.ts'
const aborts = 'test/faults/abort-everywhere.test.ts'
const userTransform = 'test/transform/user-transform.test.ts'
const objects = 'test/records.test.ts'
const tokens = 'test/faults/token.test.ts'
const recovery = 'test/source/page-recovery.test.ts'
const source = 'test/source/truto-source.test.ts'
const file = 'test/destination/file.test.ts'
const stdout = 'test/destination/stdout.test.ts'
const lock = 'test/checkpoint/lock.test.ts'
const checkpoint = 'test/checkpoint/checkpoint.test.ts'
const store = 'test/checkpoint/store.test.ts'
const csv = 'test/encode/csv.test.ts'
const parquet = 'test/encode/parquet.test.ts'
const columns = 'test/encode/columns/reader.test.ts'
const keyBy = 'test/transform/key-by.test.ts'
const editFields = 'test/transform/edit-fields.test.ts'
const edits = 'test/export/edits.test.ts'
const cli = 'test/cli/run.test.ts'
const processes = 'test/cli/process.test.ts'

const everyCall = 'the n-th call of the file system fails, for every n'
const everyCallThenOn = 'the n-th call of the file system fails, for every n, and what is left is gone on with'

const noObjectStores = 'there is no object store yet'
const noRedis = 'checkpoints are kept in files, or in a store of your own; there is no Redis yet'

export const rows: readonly Row[] = [
  {
    id: '5.1.1',
    fault: 'ENOTFOUND, EAI_AGAIN',
    owed: 'three tries, 5; keeps; names the host',
    tests: [
      [connection, 'a name that does not resolve is tried three times and named'],
      [networkError, 'names the host that did not resolve, be it that of the proxy'],
    ],
  },
  {
    id: '5.1.2',
    fault: 'ECONNREFUSED, EHOSTUNREACH, connect timeout',
    owed: 'retried, 5; keeps',
    tests: [
      [connection, 'a connection that is refused is tried six times'],
      [networkError, '%s, before the answer'],
      [client, 'ends a connection that is not made'],
    ],
  },
  {
    id: '5.1.3',
    fault: 'IPv6 dead, IPv4 alive; handshakes that take a second',
    owed: 'works; 2.5 s for each address, or what Node.js was told, and a dead family costs them once in a process',
    tests: [
      [connection, 'a name with more than one address works where only one of them answers'],
      [connector, 'is longer than a handshake with a lost packet, within the time for all of them'],
      [connector, "is Node's own where the user set that: in code, by a flag, by the environment"],
      [connector, 'has the family first that was reached, once the one before it was not'],
    ],
  },
  {
    id: '5.1.4',
    fault: 'TLS: unknown CA, wrong name, expired, downgrade',
    owed: 'no retry, 4; nothing turns verification off but --ca, which adds to what Node.js trusts; NODE_TLS_REJECT_UNAUTHORIZED=0 gives a warning; a client certificate that is wanted is named',
    tests: [
      [connection, 'what Node.js is told to trust beside its roots stays trusted where a root is given'],
      [connector, 'a server that wants a client certificate under %s says so'],
      [client, 'the hint for %s'],
      [connection, 'a certificate %s is refused at once, without a request'],
      [connection, 'a root that was given is trusted, and the environment cannot turn verification off'],
      [networkError, '%s, before the answer'],
    ],
  },
  {
    id: '5.1.5',
    fault: 'http:// URL with a token',
    owed: '2 unless the host is loopback or --allow-insecure-http',
    cases: ['5.1-http-with-token'],
  },
  {
    id: '5.1.6',
    fault: '400, 404, 422',
    owed: '4 with status and message, remote or Truto; body read to 64 KiB at most; keeps',
    cases: ['5.1-400', '5.1-422', '5.1-410', '5.1-451', '5.1-404-remote', '5.1-400-huge-body', '5.1-451-second-page'],
  },
  {
    id: '5.1.7',
    fault:
      '400 with invalid_cursor on a resumed or mid-export cursor; 400, 404, 410 or 422, whatever the words, where the cursor alone differs from what was accepted',
    owed: '6, --restart begins anew; keeps; never restarts or ends by itself',
    cases: [
      '5.1-invalid-cursor',
      '5.1-expired-cursor',
      '5.1-400-second-page*',
      '5.1-404-second-page*',
      '5.1-410-second-page*',
      '5.1-422-second-page*',
      '5.1-400-own-cursor*',
    ],
    tests: [[resume, 'a cursor of an earlier run that is answered with %i is no longer taken, and what is kept stays']],
  },
  {
    id: '5.1.8',
    fault: '401, 403',
    owed: '3 at once; keeps, so that a new token goes on; with a hook one refresh, one retry; a hook that hangs or fails is 3 and keeps',
    cases: ['5.1-401', '5.1-401-mid-export', '5.1-401-second-page', '5.1-403', '5.1-403-second-page'],
    tests: [
      [resume, 'is gone on with by another token, and by other limits and deadlines'],
      [resume, 'a token that expires is refreshed by itself where there is a way'],
      [recovery, 'a refused token is refreshed once a page, also in the middle of one'],
      [resume, 'that %s ends the export, and what was whole is kept'],
      [resume, 'that hangs does not hold up an abort, and what was whole is kept'],
      [processes, '%s, is ended by a signal with all that it started, and what was whole is kept'],
      [processes, 'is ended by --token-timeout, at the start and later on'],
    ],
  },
  {
    id: '5.1.9',
    fault: '408, 425, 409',
    owed: 'retried; 409 two tries, then 4',
    cases: ['5.1-408-*', '5.1-425-*', '5.1-409-*'],
  },
  {
    id: '5.1.10',
    fault: '429 with Retry-After: 2',
    owed: 'waits at least 2 s, says so, goes on',
    cases: ['5.1-429-retry-after', '5.1-rate-limits'],
  },
  {
    id: '5.1.11',
    fault: '429 with an HTTP date',
    owed: "against the answer's own Date; past = 0; garbage = backoff",
    cases: ['5.1-429-date', '5.1-429-past-date', '5.1-429-garbage'],
  },
  {
    id: '5.1.12',
    fault: '429 with only ratelimit-reset',
    owed: 'the same, in seconds; of several the longest',
    cases: ['5.1-429-ratelimit-reset', '5.1-429-longest', '5.1-429-both'],
  },
  {
    id: '5.1.13',
    fault: 'a wait longer than --max-wait',
    owed: '5 at once, says when to come back; keeps',
    cases: ['5.1-429-too-long'],
  },
  { id: '5.1.14', fault: '429 for ever', owed: '6 tries, 5', cases: ['5.1-429-for-ever'] },
  {
    id: '5.1.15',
    fault: '500, 502 with HTML, 503, 504, 520-530',
    owed: 'retried, 5; HTML never reaches the parser; a wrong content type with 200 is 6',
    cases: ['5.1-500-*', '5.1-502-*', '5.1-503-*', '5.1-504-*', '5.1-520-*', '5.1-525-*', '5.1-530-*', '5.1-html-200'],
  },
  {
    id: '5.1.16',
    fault: '204, 206, 304, a storm of 1xx',
    owed: '204 is 6; 206 and 304 that nobody asked for are 4; 1xx is ignored, bounded',
    cases: ['5.1-204', '5.1-206', '5.1-304', '5.1-interim', '5.1-interim-100', '5.1-interim-storm'],
    tests: [[connector, '100 Continue over %s that nobody asked for is passed over, however often it comes']],
  },
  {
    id: '5.1.17',
    fault: 'redirect to the same origin',
    owed: 'refused, 4, with the origin only',
    cases: ['5.1-token-in-a-redirect'],
    tests: [
      [redirects, 'a %i is a redirect'],
      [redirects, 'a redirect to the same address, which would be a loop, is refused after one request'],
    ],
  },
  {
    id: '5.1.18',
    fault: 'redirect to another host, port, scheme, or user-info',
    owed: '4; no request is sent there, the log of the second origin is empty',
    tests: [
      [redirects, 'a redirect to %s is refused after one request, and nothing is sent there'],
      [tokens, 'the token is in nothing that the program says or leaves, and reaches no other origin'],
    ],
  },
  {
    id: '5.1.19',
    fault: 'redirect loop',
    owed: '4 after the first',
    tests: [[redirects, 'a redirect to the same address, which would be a loop, is refused after one request']],
  },
  {
    id: '5.1.20',
    fault: 'status line or headers > 16 KiB, header injection',
    owed: '5; accounts and cursors are encoded, CR or LF in a token is 2; no echo of the token',
    cases: ['5.1-long-*', '5.1-header-injection-*', '5.1-token-in-*'],
    tests: [
      [secrets, '%s is in nothing that is said or left'],
      [secrets, 'that %s goes back as it came, and is filled in by the run that goes on'],
      [secrets, 'in %s is in no message, unless somebody asks for it'],
    ],
  },
  {
    id: '5.1.21',
    fault: 'proxy 407; a proxy that closes at CONNECT',
    owed: '3, names the proxy without its password; retried with backoff, 5',
    tests: [
      [connection, 'a proxy that wants authentication is named without its password, and not asked again'],
      [connection, 'a proxy that closes at CONNECT is asked once for each try, with the waits between them'],
    ],
  },

  {
    id: '5.2.1',
    fault:
      'chunked body cut by FIN or RST at any byte, inside a chunk head, without the last CRLF; keep-alive or close; a body that ends with its connection, cut by RST',
    owed: 'retried; then 5; never exit 0, never half a record out. Of lines that end with the connection a FIN cannot be told from the end: unproven',
    cases: [
      '5.2-no-answer*',
      '5.2-in-head*',
      '5.2-chunked*',
      '5.2-chunk-head*',
      '5.2-boundary*',
      '5.2-last-crlf*',
      '5.2-in-record-0*',
      '5.2-close-delimited*',
    ],
    tests: [
      [connector, 'a body over %s that ends with its connection does not end with a reset'],
      [connector, 'the slow reader of a body over %s gets what has arrived, and then the reset'],
      [sweep, 'a page that is cut at any byte'],
      [recovery, 'a page that is cut at any byte is read again, and what was taken of it is passed over'],
    ],
  },
  {
    id: '5.2.2',
    fault: 'Content-Length too big, too small, beside Transfer-Encoding',
    owed: 'retried, 5; both at once is not parsed',
    cases: ['5.2-length*', '5.2-content-length-*', '5.2-smuggling'],
    tests: [[sweep, 'a body that stops in order where its Content-Length says so is cut all the same']],
  },
  {
    id: '5.2.3',
    fault: 'gzip cut, bad CRC, bad length, garbage after, plain text called gzip',
    owed: 'retried, then 5; two members are fine',
    cases: [
      '5.2-early-end-gzip*',
      '5.2-gzip-crc*',
      '5.2-gzip-length*',
      '5.2-gzip-garbage-after*',
      '5.2-gzip-header*',
      '5.2-gzip-not-gzip*',
      '5.2-gzip-zeros-after',
      '5.2-br-zeros-after',
      '5.2-gzip-two-members',
      '5.2-gzip-double',
    ],
    tests: [[sweep, 'compressed']],
  },
  {
    id: '5.2.4',
    fault: 'an encoding that was not asked for (br, zstd, "gzip, gzip")',
    owed: 'decoded or 4; more than two layers refused; a name that is no coding is none',
    cases: ['5.2-*-unasked', '5.2-two-layers', '5.2-three-layers', '5.2-zstd', '5.2-*-plain'],
  },
  {
    id: '5.2.5',
    fault: 'gzip or br bomb in one string',
    owed: '6 within --max-record-bytes; RSS flat; no retry',
    cases: ['5.2-gzip-bomb', '5.2-br-bomb', '5.2-bomb-string'],
    tests: [[bombs, 'a bomb of %s ends with what is owed, within bounded memory']],
  },
  {
    id: '5.2.6',
    fault: 'a bomb of white space, of [, of keys, of endless records',
    owed: 'white space streams through until a deadline; depth and record limits 6; --max-records, --max-bytes',
    cases: ['5.2-white-space*', '5.2-bomb-brackets', '5.2-bomb-keys', '5.2-bomb-records', '5.2-bomb-bytes'],
    tests: [[bombs, 'a bomb of %s ends with what is owed, within bounded memory']],
  },
  {
    id: '5.2.7',
    fault: 'stall at any byte, before the head',
    owed: 'retried; 5',
    cases: ['5.2-stall-*'],
  },
  {
    id: '5.2.8',
    fault: 'one byte each 100 ms; a compressed body that unfolds to nothing, slowly or as fast as it goes',
    owed: 'no record finished for 10 min, or < 100 B/s for 60 s: retried; 5; memory stays flat',
    cases: ['5.2-drip-*', '5.2-error-body-drips'],
    tests: [
      [heartbeat, 'sent %s ends with the deadline of a page'],
      [heartbeat, 'what unfolds to less than 100 bytes a second for a minute is too slow, however much arrives'],
      [heartbeat, 'nothing of it is kept: memory stays flat'],
      [heartbeat, 'time that the consumer takes does not count, whatever arrives meanwhile'],
    ],
  },
  {
    id: '5.2.9',
    fault: 'reset in a record; a kept connection that closes as it is used again',
    owed: 'again at once the first time, no wait',
    cases: ['5.2-lost-connection-no-wait'],
    tests: [
      [client, 'that was kept alive and closed by the server just as it was used again is known as such'],
      ['test/http/retry.test.ts', '%s is tried again at once the first time, and with a wait after that'],
    ],
  },
  {
    id: '5.2.10',
    fault: 'the server closes early after the head of an error',
    owed: 'the status decides, not the reset',
    cases: ['5.2-error-head-then-reset*'],
  },

  {
    id: '5.3.1',
    fault: 'next_cursor before or after result; null, absent, ""',
    owed: 'all three are the end; order is free',
    cases: ['5.3-end-*'],
  },
  {
    id: '5.3.2',
    fault: 'next_cursor a number, an object, a boolean, > 64 KiB',
    owed: 'a number is sent as its digits, others are 6',
    cases: [
      '5.3-cursor-digits',
      '5.3-cursor-number',
      '5.3-cursor-object',
      '5.3-cursor-array',
      '5.3-cursor-boolean*',
      '5.3-cursor-string',
      '5.3-cursor-long-allowed',
    ],
  },
  {
    id: '5.3.3',
    fault: 'a cursor with + / = & # % or beyond ASCII',
    owed: 'round-trips exactly, other parameters stay',
    cases: ['5.3-cursor-base64', '5.3-cursor-url', '5.3-cursor-odd', '5.3-cursor-long'],
    tests: [['test/source/request.test.ts', 'of any text comes back exactly, and the other parameters stay']],
  },
  {
    id: '5.3.4',
    fault: 'a key spelled "next_\\u0063ursor"',
    owed: 'recognised',
    cases: ['5.3-escaped-keys', '5.3-pretty-printed'],
  },
  {
    id: '5.3.5',
    fault: 'next == this, or a cycle over several pages',
    owed: '6 when it is seen',
    cases: ['5.3-loop-*'],
    tests: [
      [source, 'a cursor that comes again is an error on the page that gave it, whatever the length of the cycle'],
    ],
  },
  {
    id: '5.3.6',
    fault: 'an empty page with a cursor; 1,000 of them',
    owed: 'goes on; 6',
    cases: ['5.3-empty-pages', '5.3-endless-empty-pages'],
  },
  { id: '5.3.7', fault: 'short pages, page sizes that vary', owed: 'fine', cases: ['5.3-short-pages'] },
  {
    id: '5.3.8',
    fault: 'a page after a retry equal to the first try',
    owed: 'once in the output',
    cases: ['5.3-same-page-after-retry'],
  },
  {
    id: '5.3.9',
    fault: 'a page that changed on retry',
    owed: 'a file is rolled back and has the newer version whole; else 6 unless equal so far',
    cases: ['5.3-page-changed-on-retry'],
    tests: [
      [resume, 'is begun anew in a plain file, in the same run and in a later one'],
      [resume, 'ends an export that has no checkpoint, or nothing but a stream'],
      [resume, 'every time is not begun anew for ever'],
    ],
  },
  {
    id: '5.3.10',
    fault: 'overlap: the same ids at the borders of pages',
    owed: 'kept by default, counted under --check-duplicates',
    cases: ['5.3-overlap'],
    tests: [
      [
        'test/faults/duplicates.test.ts',
        'repeated ids are counted in report and manifest, and every record is in the output',
      ],
    ],
  },
  {
    id: '5.3.11',
    fault: 'a record vanishes or appears while pages are read',
    owed: 'the README says so',
    except: 'no client can notice it',
  },
  {
    id: '5.3.12',
    fault: 'two exports in turns over one cursor',
    owed: 'independent',
    tests: [[sinks, 'two exports of one list at once do not disturb each other']],
  },

  {
    id: '5.4.1',
    fault: 'result missing, null, a string, a number',
    owed: '6, names the keys seen; no empty export; null beside a cursor is an empty page',
    cases: ['5.4-result-missing', '5.4-result-null*', '5.4-result-string', '5.4-result-number', '5.4-empty-body'],
  },
  {
    id: '5.4.2',
    fault: 'result is an object (truto_key_by)',
    owed: 'its values in text order; __proto__ as a key is data',
    cases: ['5.4-result-object'],
  },
  {
    id: '5.4.3',
    fault: 'result twice, next_cursor twice',
    owed: '6',
    cases: ['5.4-result-twice', '5.4-cursor-twice'],
  },
  {
    id: '5.4.4',
    fault: 'unknown keys, nested decoys, Result',
    owed: 'skipped',
    cases: ['5.4-decoys'],
  },
  {
    id: '5.4.5',
    fault: "error JSON in a 200; beside or after result; Slack's own, as it is or within Truto's",
    owed: "retried where it is the provider's and says nothing else (rights 3, request 4, cursor 6, a limit by its headers), else 6; no record of that page stays in a file",
    cases: ['5.4-error-in-200-*', '5.4-error-before-result', '5.4-error-after-result', '5.4-slack-*'],
  },
  {
    id: '5.4.23',
    fault: 'an error as a line of NDJSON; an envelope called NDJSON; pages one a line',
    owed: 'the error that it is, wherever it stands; the page that it is; pages',
    cases: ['5.4-error-line-*', '5.4-envelope-as-ndjson'],
    tests: [
      [source, 'an answer of type %s that is one envelope is that page'],
      [source, 'an answer that is several envelopes, one a line, is all of them, and its cursor the last one'],
    ],
  },
  {
    id: '5.4.6',
    fault: 'an error appended to an open array, HTML appended',
    owed: 'retried once, then 6',
    cases: ['5.4-error-in-open-array', '5.4-html-appended'],
    except: 'an error appended to an open array that ends there is a truncated body: retried, 5',
  },
  {
    id: '5.4.7',
    fault: 'a top-level array, NDJSON, Slack or Graph in place of the envelope',
    owed: 'recognised and named; an object with no record member is 6',
    cases: ['5.4-top-level-array', '5.4-body-of-*', '5.4-ndjson-by-name', '5.4-object-without-records'],
    tests: [[source, 'auto asks for the page and all that follow as unified where stream gave %s']],
  },
  {
    id: '5.4.8',
    fault: 'text after the closing brace',
    owed: '6; white space is fine',
    cases: ['5.4-text-after-the-end', '5.4-second-document', '5.4-white-space-after-the-end'],
  },
  {
    id: '5.4.9',
    fault: 'a byte order mark; UTF-16',
    owed: 'ignored, never written; 6',
    cases: ['5.4-bom', '5.4-utf-16'],
  },
  {
    id: '5.4.10',
    fault: 'invalid JSON at byte N',
    owed: '6 with page, record, byte; with --debug-bodies an escaped excerpt',
    cases: ['5.4-invalid-at-byte'],
    tests: [
      ['test/json/engines.test.ts', 'an error names the byte and the record, however far into a long page it is'],
    ],
  },
  {
    id: '5.4.11',
    fault: 'an element null, a number, a string, an array',
    owed: '6; a string in a Slack list is a bare id, counted',
    cases: ['5.4-element-*', '5.4-bare-ids'],
  },
  {
    id: '5.4.12',
    fault: 'invalid UTF-8 in values and keys, also split over chunks',
    owed: '6; U+FFFD is never made up',
    cases: ['5.4-utf8-*'],
  },
  {
    id: '5.4.13',
    fault: 'valid multi-byte characters split over 1-byte chunks',
    owed: 'exact',
    cases: ['5.4-multi-byte-in-chunks-of-*'],
    tests: [
      ['test/json/corpus.test.ts', 'accepts a text inside a record exactly where JSON.parse does, with its value'],
    ],
  },
  {
    id: '5.4.14',
    fault: 'lone surrogate escapes',
    owed: 'counted; NDJSON and JSON keep them or, --surrogates replace, have U+FFFD, as CSV and Parquet do; --strict 6',
    cases: ['5.4-lone-surrogates*'],
    tests: [
      [parquet, 'a lone surrogate does not make the file unreadable'],
      ['test/json/surrogates.test.ts', 'no batch is said to be well-formed that is not, in any layout, cut anywhere'],
      [
        'test/encode/surrogates.test.ts',
        'halves in NDJSON and JSON are replaced where that is asked for, and nothing else is',
      ],
    ],
  },
  {
    id: '5.4.15',
    fault: 'NUL, U+2028/9, DEL, noncharacters, RTL, ZWJ',
    owed: 'exact; stderr shows them escaped',
    cases: ['5.4-odd-characters'],
    tests: [
      [csv, 'every edge text comes back as it was, and "" is not null: %j'],
      [parquet, 'every edge text comes back as it was, at the top, in lists and in JSON'],
      [cli, 'an error is one line: code, message, position, what is left, hint'],
    ],
  },
  {
    id: '5.4.16',
    fault: 'exotic escapes',
    owed: 'the same value',
    cases: ['5.4-odd-characters'],
    tests: [[columns, 'escapes and characters of every width are decoded']],
  },
  {
    id: '5.4.17',
    fault: 'nesting of 500, of 100k, of 1 M unclosed',
    owed: 'fine; 6; 6 before memory grows',
    cases: ['5.4-nesting-*'],
  },
  {
    id: '5.4.18',
    fault: 'a record > 16 MiB, a string without end, an array of 5 M elements',
    owed: '6 at --max-record-bytes, RSS < 4 times the limit and the base',
    cases: ['5.4-record-17-MiB', '5.4-array-of-many-elements'],
    tests: [[bombs, 'a bomb of %s ends with what is owed, within bounded memory']],
  },
  {
    id: '5.4.19',
    fault: 'duplicate keys in a record',
    owed: 'text kept; an excluded field goes in all its copies, however it is spelled; CSV and Parquet count such records',
    cases: ['5.4-duplicate-keys*', '5.4-excluded-in-all-copies'],
    tests: [
      ['test/encode/surrogates.test.ts', 'records with a key twice are counted in CSV and Parquet, with the engine %s'],
      [columns, 'the last of equal keys counts, at the top and inside, also when an earlier one has the wrong type'],
    ],
  },
  {
    id: '5.4.20',
    fault: '__proto__, constructor, hasOwnProperty',
    owed: 'data; nothing is polluted',
    cases: ['5.4-prototype-names', '5.4-prototype-excluded'],
    tests: [[columns, 'names of Object.prototype are data']],
  },
  {
    id: '5.4.21',
    fault: '> 2^53, 1e400, 30 digits, long fractions',
    owed: 'digits kept in text; a typed column that cannot hold it never rounds in silence',
    cases: ['5.4-numbers'],
    tests: [
      [parquet, 'JSON is the text that was sent, of any type and with all its digits'],
      [columns, 'mismatches are counted for each field'],
    ],
    except:
      'a value that a typed column cannot hold is null there and kept in extra, counted; 6 with --on-type-mismatch error',
  },
  { id: '5.4.22', fault: '-0, 1E2, 1.0', owed: 'text kept', cases: ['5.4-numbers'] },

  {
    id: '5.5.1',
    fault: 'exclude of an unknown field, of all, of a nested path',
    owed: 'what is not declared and met nowhere: 6 before publishing, near to a declared name: 2 before the first request; {} records, still counted',
    cases: ['5.5-exclude-*', '5.5-select-unknown'],
    tests: [
      ['test/export/field-names.test.ts', 'a name that is nearly a declared one'],
      ['test/export/field-names.test.ts', 'a path that met no record'],
    ],
  },
  {
    id: '5.5.2',
    fault: 'the server ignores exclusion, key_by, ignore_remote_data',
    owed: 'the same output either way',
    cases: ['5.5-server-*'],
  },
  {
    id: '5.5.3',
    fault: 'the key-by field is missing or null',
    owed: '6 naming the record; --key-by-missing skip counts',
    cases: ['5.5-key-missing', '5.5-key-null', '5.5-key-missing-skip'],
  },
  {
    id: '5.5.4',
    fault: 'a duplicate key',
    owed: 'an error where an object is built; keep, first or error',
    cases: ['5.5-key-duplicate-*'],
    tests: [
      [keyBy, 'keeps the first record under first, over the borders of batches, and counts the others'],
      [keyBy, 'more different keys than the budget holds are a limit, which names the budget'],
    ],
  },
  {
    id: '5.5.5',
    fault: 'a key that is a number, a boolean, an object',
    owed: 'its digits; 6',
    cases: ['5.5-key-number', '5.5-key-true', '5.5-key-a1', '5.5-key-1'],
    except: 'a boolean is 6, too: no id is one',
  },
  {
    id: '5.5.6',
    fault: 'exclude removes the key-by field',
    owed: 'the key is taken before',
    cases: ['5.5-key-then-excluded'],
  },
  {
    id: '5.5.7',
    fault: "a user's Transform throws, never calls back, is slow",
    owed: '1 with its cause; an abort still works; backpressure',
    cases: ['5.5-transform-throws'],
    tests: [
      [abort, 'an abort %s ends the export with its reason'],
      [userTransform, 'an abort ends the run of a Transform that %s'],
      ['test/transform/record-transform.test.ts', 'few batches are taken while the reader is behind'],
    ],
  },
  {
    id: '5.5.8',
    fault: 'a text or a list of texts where an object with a field to redact was expected',
    owed: 'redacted in the same way, counted by field; every format, every engine',
    cases: ['5.5-redact-whole-*'],
    tests: [
      [edits, 'what stands where an object with a field to redact was expected'],
      [editFields, 'all edits of any records are those of the model'],
    ],
  },
  {
    id: '5.5.9',
    fault: 'a key that would show what is redacted',
    owed: '2 before the first request: the field, one inside or around it, and @key',
    cases: ['5.5-key-shows-redacted'],
    tests: [[edits, '%s is an error before the first request']],
  },
  {
    id: '5.5.10',
    fault: 'columns, or fields of a struct, that differ in case alone, by --rename, --schema or what is ours',
    owed: '2 before the first request naming both; schema warns',
    cases: ['5.5-twins-*'],
    tests: [
      ['test/encode/columns/layout.test.ts', 'columns that readers take for one are refused, by their names'],
      ['test/schema/names.test.ts', 'is that of regular expressions for every character'],
      [
        'test/cli/schema-command.test.ts',
        'names that differ in case alone are told, printed, and refused by an export',
      ],
    ],
  },
  {
    id: '5.5.11',
    fault: 'no column is left, two flattened columns have one name, a parameter is given twice',
    owed: '2 before the first request, and before anything is touched',
    tests: [
      [edits, '%s is an error before the first request'],
      [edits, 'two columns of one name are told by the fields that they are of'],
    ],
  },
  {
    id: '5.5.12',
    fault:
      'a schema that refers to itself a million times over, lists in lists flattened, a list of ever new names to learn from',
    owed: '6 at --max-columns, within --max-memory, before the first request where it is known there',
    tests: [
      ['test/schema/column-budget.test.ts', 'a JSON Schema of more columns than there may be is a limit'],
      ['test/schema/column-budget.test.ts', 'a list is learned from within bounds'],
      ['test/cli/schema-command.test.ts', 'a list of ever new names ends with the limit that it meets'],
      [edits, 'more columns than there may be are a limit before the first request, whatever makes them'],
      [
        'test/export/row-groups.test.ts',
        'a schema of so many columns that its rows would not fit into memory has smaller row groups',
      ],
    ],
  },
  {
    id: '5.5.13',
    fault: 'a transform that forgets to return',
    owed: 'a warning that says so',
    tests: [['test/export/row-groups.test.ts', 'a transform that gives undefined for every record']],
  },
  {
    id: '5.5.14',
    fault: 'a key of hashes that is no text, that is short, that is one byte over and over',
    owed: 'its bytes less one line end, as every HMAC tool takes them; 2',
    tests: [
      ['test/cli/redact-key.test.ts', 'the bytes of the file are the key'],
      ['test/cli/redact-key.test.ts', 'the line that the help shows gives the same hash'],
    ],
  },
  {
    id: '5.5.20',
    fault: "a user's Transform was used before, ends early, is destroyed",
    owed: '2 at once; 1 that names it, never an abort by nobody',
    tests: [
      [userTransform, 'a Transform %s is an error at once, before anything is read'],
      [userTransform, 'one options object is not for two calls where there is a Transform in it'],
      [userTransform, 'a Transform that %s is named'],
    ],
  },

  {
    id: '5.6.1',
    fault: 'ENOSPC, EDQUOT, EFBIG at write k',
    owed: '7; the partial file is cut to the last commit, the checkpoint valid; goes on when there is space',
    tests: [
      [sinks, everyCall],
      [sinks, 'ENOSPC in %s'],
      [sinks, 'a disk that is full is exit 7, also where the output is a link to it'],
      [resume, everyCallThenOn],
      [processes, 'on the size of a file is exit 7, and %s goes on behind it'],
      [surroundings, 'a file system that is full is exit 7, and the export goes on once there is space'],
      [store, 'keeps the old checkpoint whole, or has the new one whole, whatever call fails'],
    ],
  },
  {
    id: '5.6.2',
    fault: 'EIO on write, fsync, close',
    owed: '7, fsync not repeated, the commit does not count; what goes on verifies the digest',
    tests: [
      [sinks, everyCall],
      [resume, everyCallThenOn],
      [file, 'a flush that failed is not tried again'],
    ],
  },
  {
    id: '5.6.3',
    fault: 'EACCES, EROFS, ENOENT, ENOTDIR, name too long',
    owed: '7 before the first request',
    tests: [
      [sinks, 'before the first request'],
      [sinks, everyCall],
    ],
  },
  {
    id: '5.6.4',
    fault: 'OUT exists',
    owed: '2 unless --overwrite; then replaced only at the end, mode kept',
    tests: [
      [sinks, 'before the first request'],
      [sinks, 'an older file keeps its bytes until the whole list is there, and its permission bits then'],
      [file, 'that appears during the export is not replaced: the complete file is kept beside it'],
    ],
  },
  {
    id: '5.6.5',
    fault: 'EXDEV, rename refused',
    owed: '7, the partial file kept whole, the message has the mv',
    tests: [
      [file, '%s %s: the name holds the old file or the whole new one, and the error says so'],
      [file, 'the command that publishes a kept file is quoted for the shell'],
    ],
  },
  {
    id: '5.6.6',
    fault: 'EMFILE, ENFILE',
    owed: '7, never a crash',
    tests: [
      [sinks, everyCall],
      [processes, 'on open files: with %i it is exit 7 or all is well'],
      [processes, 'on open files that comes in the middle is exit 7, and the same command goes on'],
    ],
    except: 'below 24 descriptors Node.js itself does not start',
  },
  {
    id: '5.6.7',
    fault: 'EPIPE (| head)',
    owed: 'stops at once, silent, 141',
    tests: [
      [stdout, 'ends the export quietly, and not by an uncaught exception'],
      [processes, '%s: exit %s'],
      [processes, 'a pipe whose reader leaves ends the request with it'],
    ],
  },
  {
    id: '5.6.8',
    fault: 'a slow or stopped consumer (1 h)',
    owed: 'RSS flat, the socket held back',
    tests: [
      [slow, 'a consumer that stops in the middle stops the server, for as long as it likes'],
      [slow, 'memory is flat while 200 MB go to a consumer that lags behind'],
    ],
  },
  {
    id: '5.6.9',
    fault: 'stdout closed at the start, stdin absent',
    owed: '7; fine',
    tests: [
      [processes, '%s: exit %s'],
      [stdout, 'a stream that is closed at the start is an error before anything is written'],
    ],
  },
  {
    id: '5.6.10',
    fault: 'more than 64 KiB into a slow pipe, then the end',
    owed: 'every byte arrives, 0',
    tests: [[processes, '%s: exit %s']],
  },
  {
    id: '5.6.11',
    fault: 'SIGINT, SIGTERM, SIGHUP',
    owed: 'commits what is whole within 5 s, 130/143/129, the line that resumes; a second one, after 300 ms, at once',
    tests: [
      [
        'test/cli/signals.test.ts',
        'signals within 300 ms of the first are that one: a terminal and a runner both send theirs',
      ],
      [processes, '%s keeps what is whole, says how to go on, and ends with %i'],
      [processes, 'that is a second one ends it at once, even where a reader of stdout stands still'],
      [cli, '%s aborts the export and ends with %i, saying what is left'],
      [abort, 'an abort %s ends the export with its reason'],
    ],
  },
  {
    id: '5.6.12',
    fault: 'SIGKILL at any call of the system',
    owed: 'keeps; resume gives the same bytes; a stale lock is taken over',
    tests: [
      [kill, 'goes on after SIGKILL at random times'],
      [kill, 'goes on after SIGKILL at a call of the file system'],
      [onePage, 'an export of one page that is killed at nine tenths of it writes no committed byte again'],
      [lock, 'that was made by a process that died by a signal and was not waited for is taken over'],
    ],
  },
  {
    id: '5.6.13',
    fault: 'SIGSTOP and SIGCONT, a laptop that sleeps',
    owed: 'deadlines are monotonic: at most one retry',
    tests: [
      [surroundings, 'a program that was stopped and continued asks again at most once'],
      [processes, 'that stops and continues it leaves the bytes as they are'],
    ],
  },
  {
    id: '5.6.14',
    fault: 'power loss at any point',
    owed: 'OUT is old or new, whole; so is the checkpoint; its bytes are durable',
    tests: [
      [power, 'goes on to the same bytes after a power loss at a call of the file system'],
      [power, 'the checks of a power loss fail'],
    ],
  },
  {
    id: '5.6.15',
    fault: 'uncaughtException, unhandledRejection, heap OOM',
    owed: '1; as SIGKILL',
    tests: [[surroundings, 'what ends the process from within leaves what can be gone on with: %s']],
  },
  {
    id: '5.6.16',
    fault: 'two processes, the same OUT',
    owed: 'the second: 8 with the pid and host of the first; no byte of either is harmed',
    tests: [
      [resume, 'a second export to the same file is refused, and neither loses a byte'],
      [lock, 'that lives is respected, however long it was silent'],
      [lock, '%s is respected until it was silent for long enough'],
      [lock, 'a lock that another thread of this process holds is respected'],
      [lock, 'of many that find a dead lock at once, one gets it'],
    ],
  },
  {
    id: '5.6.17',
    fault: 'OUT or partial edited, cut, replaced meanwhile',
    owed: '8 on resume; 7 while it runs',
    tests: [
      [resume, 'is refused with %s, and nothing is touched or asked for'],
      [file, '%s: the commit refuses to publish it'],
    ],
  },
  {
    id: '5.6.18',
    fault: 'a checkpoint empty, cut, with a flipped bit, of a newer version, of another query',
    owed: '8, says --restart; never guessed',
    tests: [
      [checkpoint, 'where it is empty, or cut at any byte'],
      [checkpoint, 'where any bit of it is another'],
      [checkpoint, 'where its version is another, which the message names'],
      [resume, 'is not that of an export with %s'],
    ],
  },
  {
    id: '5.6.19',
    fault: 'CSV: comma, quote, CR, LF, formulas, ragged or new fields, nested values',
    owed: "RFC 4180; ' only by --csv-formulas escape; header fixed by the schema; unknown field in extra or 6; nested as JSON",
    tests: [
      [csv, 'every edge text comes back as it was, and "" is not null: %j'],
      [csv, 'are kept as they are by default'],
      [csv, "get a ' before them where that is asked for, and are counted; numbers in JSON text do not"],
      [csv, 'a type mismatch, an unknown field and a lone surrogate can each be an error'],
      [csv, 'names in the header are cells'],
      ['test/export/csv-names.test.ts', 'what verify reads of names that need quotes is what was written, under %j'],
    ],
  },
  {
    id: '5.6.20',
    fault: 'CSV null against ""',
    owed: 'distinguishable; a row of null alone is a blank line, counted, since some readers leave it out',
    tests: [
      [csv, 'every edge text comes back as it was, and "" is not null: %j'],
      [csv, 'a row whose only cell is null is a blank line, which is counted'],
    ],
  },
  {
    id: '5.6.21',
    fault: 'Parquet: the writer fails midway, schema drift, null in required, a bad date',
    owed: 'nothing without a footer under a published name; drift in extra; a bad date kept as text',
    cases: ['5.6-out.*'],
    tests: [
      [parquet, 'a sink that fails at write %i fails the export with its own error'],
      [sinks, 'ENOSPC in %s'],
      [columns, 'unknown fields stand in extra in their order, before declared ones'],
      ['test/encode/columns/timestamp.test.ts', 'a digit beyond the unit is refused unless it is zero'],
    ],
    except: 'no column is required, so there is no null in one',
  },
  {
    id: '5.6.22',
    fault: 'Parquet read back before it is published',
    owed: 'footer, rows and a checksum verified',
    tests: [['test/verify/verify.test.ts', 'matches the manifest that its export made']],
    except:
      'not in the run itself, which would read the file twice: truto-export verify does it, and tests read files back with DuckDB and hyparquet',
  },
  { id: '5.6.23', fault: 'S3 500, 503, timeouts, resets of a part', owed: 'retried; 7', except: noObjectStores },
  { id: '5.6.24', fault: 'Complete answers 200 with an <Error>', owed: 'an error, retried', except: noObjectStores },
  { id: '5.6.25', fault: 'Complete times out, yet took', owed: 'success', except: noObjectStores },
  {
    id: '5.6.26',
    fault: 'S3 403, NoSuchBucket, clock skew, expired STS',
    owed: '7 at the start',
    except: noObjectStores,
  },
  { id: '5.6.27', fault: 'NoSuchUpload on resume', owed: '8', except: noObjectStores },
  { id: '5.6.28', fault: 'part limit of 10,000', owed: 'part size grows up front', except: noObjectStores },
  { id: '5.6.29', fault: 'the object exists, two writers', owed: '412 is 8, 409 retried', except: noObjectStores },
  { id: '5.6.30', fault: 'SIGKILL in an upload', owed: 'nothing visible', except: noObjectStores },

  {
    id: '5.6.31',
    fault: 'a run that was stopped, or lives in another container or thread, while another takes its place over',
    owed: '8; what is there now is the other one and is not touched, whole bytes published',
    tests: [
      [lostPlace, '%s: is refused once another run writes, and nothing of that is touched'],
      [lostPlace, '%s: is refused once another run has published, and the output stays whole'],
      [lostPlace, 'what it had in hand goes to a file without a name'],
      [surroundings, 'a program that was stopped until another one took its place over touches nothing of that'],
    ],
  },
  {
    id: '5.6.32',
    fault: 'a link, a FIFO, a directory in the place of a file of ours',
    owed: '7 or 2 at once; it stays as it is, and nothing behind a link is touched',
    tests: [
      [places, 'as %s is refused at once and stays'],
      [places, 'as what is kept is not resumed'],
      [places, 'a link to a directory, or one that we did not make, in the place of the parts is not emptied'],
      [lock, '%s is an error at once, and stays'],
    ],
  },
  {
    id: '5.6.33',
    fault: 'what is kept belongs to another user, or others may write to it',
    owed: '8; --restart drops it',
    tests: [
      [places, 'a %s is refused, and dropped by a restart'],
      [places, 'with a directory of parts, or a part, that others may write to is refused'],
    ],
  },
  {
    id: '5.6.34',
    fault: 'what is kept is of yesterday',
    owed: 'dropped, and told, beyond --resume-max-age; before that its age is in the report',
    tests: [
      [places, 'that was saved %i ms ago is dropped, which is told, and the output is that of one time'],
      [places, 'of other options does not stop every later night once it is too old'],
      [
        resume,
        'an output whose export died just before or after it got its name is complete the next time, without a request, or replaced by a new one',
      ],
    ],
  },
  {
    id: '5.6.35',
    fault: 'OUT is a mount point',
    owed: '7 before the first request; a command that works where it becomes one',
    tests: [
      [places, 'as the directory of parts is refused before the first request, with a way out that works'],
      [places, 'as the file, as containers have them, is refused before the first request'],
      [places, 'that appears during the export leaves the complete file, and a command that publishes it'],
    ],
  },
  {
    id: '5.6.36',
    fault: 'the runtime refuses to flush, or to open',
    owed: 'a warning; 7',
    tests: [
      [places, 'a runtime that refuses to flush completes the export and says what that means'],
      [places, 'a place that the runtime does not allow is exit 7, and not a bug'],
    ],
  },
  {
    id: '5.6.37',
    fault: "an input is one of the output's own files",
    owed: '2; it stays',
    tests: [
      ['test/export/inputs.test.ts', '$name as an input, by $how, is refused and stays'],
      ['test/export/inputs.test.ts', '%s as an input of an export in parts is refused and stays'],
    ],
  },
  {
    id: '5.6.38',
    fault: 'an input is a FIFO, a directory, absent, or no JSON',
    owed: 'read, and a stop ends the wait; 2; 2; 6 and what it is',
    tests: [
      [
        'test/source/body-source.test.ts',
        'without a writer is waited for until the signal, and more of them than there are threads',
      ],
      ['test/source/body-source.test.ts', 'a directory is named as what it is'],
      ['test/source/body-source.test.ts', '%s is named'],
    ],
  },
  {
    id: '5.7.20',
    fault: 'an abort between any two awaits of any call',
    owed: 'rejects with its reason, or had come to its end; no promise is dropped, no listener stays; nothing is given after it',
    tests: [
      [aborts, '$name: an abort at any turn ends it with the reason'],
      [objects, 'after any record of %s is the end: the next step rejects with the reason'],
      [objects, 'ends the wait for %s that stands still, and closes it'],
      [abort, 'an abort that comes while the file is being completed is too late: the export resolves'],
      [abort, 'a signal that many exports share has one listener of theirs, and none after them'],
    ],
  },
  {
    id: '5.7.1',
    fault: 'the wall clock jumps by 10 days, DST, leap second',
    owed: 'no wait shortens or lengthens',
    cases: ['5.7-clock-*'],
  },
  { id: '5.7.2', fault: 'Redis as checkpoint store is down', owed: '8, or held back', except: noRedis },
  { id: '5.7.3', fault: 'Redis hangs, READONLY, LOADING, OOM, failover', owed: 'failure to commit', except: noRedis },
  { id: '5.7.4', fault: 'Redis as a cache only', owed: 'goes on without it', except: noRedis },
  { id: '5.7.5', fault: 'two workers, one Redis key', owed: 'the loser: 8', except: noRedis },
  {
    id: '5.7.6',
    fault: 'ulimit -v, memory cgroup of 256 MiB, one CPU',
    owed: 'runs',
    tests: [[surroundings, 'runs %s, to the same bytes']],
    except:
      'below some 20 GB of addresses Node.js needs NODE_OPTIONS=--disable-wasm-trap-handler, which the error says',
  },
  {
    id: '5.7.7',
    fault: 'TMPDIR, HOME absent or read-only',
    owed: 'runs: nothing is written but beside OUT',
    tests: [[surroundings, 'runs %s, to the same bytes']],
  },
  {
    id: '5.7.8',
    fault: 'a locale other than UTF-8, an odd TZ',
    owed: 'the same bytes',
    tests: [[surroundings, 'runs %s, to the same bytes']],
  },
  {
    id: '5.7.9',
    fault: 'Node.js without WebAssembly (--jitless), or without the right to the network (--permission)',
    owed: '2 before the first request, and 5 without another try; each names what node is to be given',
    tests: [
      [connection, 'without WebAssembly nothing is sent, and the reason is all that is said'],
      [client, 'a runtime without WebAssembly is refused before anything is sent'],
      [networkError, 'says what Node.js was started without, and the flag for it'],
    ],
  },
]

const placeholder = /%[sijod]|\$\{[^}]*\}|\$\w+/g
const quoted = (text: string): string => text.replace(/[.*+?^()|[\]\\{}$]/g, '\\$&')

/** A title as a source has it, with the same sign for everything that differs from row to row. */
export const withoutValues = (title: string): string => title.replace(placeholder, '%s')

/** Title of the group of a row's tests, by which the report finds them. */
export function titleOf({ id, fault }: Row): string {
  return `${id} ${fault}`
}

/** Matches the titles that a test of this title has when it runs. */
export function titlePattern(title: string): RegExp {
  const parts = withoutValues(title).split('%s').map(quoted)
  return new RegExp(`^${parts.join('.*')}$`, 's')
}

/** Whether a case belongs to a row. */
export const isCaseOf = (row: Row, id: string): boolean =>
  (row.cases ?? []).some((pattern) => new RegExp(`^${pattern.split('*').map(quoted).join('.*')}$`).test(id))
