// The section "In short" of this folder's README, made from the newest kept runs: nothing there is typed by hand.

import type { ShapeSamples } from './child-engines.js'
import { columnsHead, columnsResult, columnsRows } from './columns.js'
import { compareHead, compareResult, compareRows, sizeName } from './compare.js'
import { enginesOf, sizeOf, sliceRoute, timesFaster } from './engines.js'
import { renderExport } from './export.js'
import { type KeptRun, machineLine } from './kept.js'
import { table } from './measure.js'

/** The text between `<!-- name -->` and `<!-- /name -->` replaced. @throws Error where the markers are not there */
export function between(document: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [from, to] = [document.indexOf(begin), document.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`no markers ${begin} and ${end}`)
  return `${document.slice(0, from + begin.length)}\n\n${text}\n\n${document.slice(to)}`
}

/** @param newest the newest kept run of a benchmark, null where there is none */
export function shortTables(newest: (name: string) => KeptRun | null): string {
  const sections: string[] = []
  const engines = newest('engines')
  if (engines !== null) {
    const members = engines.load<ShapeSamples>('members')
    const remoteData = engines.load<ShapeSamples>('members-remote-data')
    if (members && remoteData) {
      const head = [
        'times faster than JSON.parse of each record',
        `members (${sizeOf(members)})`,
        `with remote_data (${sizeOf(remoteData)})`,
      ]
      const rows = Object.keys(members.samples).map((route) => [
        route,
        timesFaster(members, route),
        timesFaster(remoteData, route),
      ])
      sections.push(
        `One page, in one process, engines ${enginesOf(members).join(', ')}; other shapes of records are below.`,
        table(head, rows),
        `![${sliceRoute('engine')}, by shape of record](engines-shapes.svg)`,
      )
      sections.unshift(measuredBy(engines))
    }
  }
  const compare = newest('compare')
  // the largest page that was measured
  const megabytes = compare && [1000, 100].find((size) => compareResult(compare, size, 'file'))
  const compared = compare && megabytes && compareResult(compare, megabytes, 'file')
  if (compared) {
    const rounds = compared.done === 1 ? 'one round' : `${compared.done} rounds`
    sections.push(
      `### ${sizeName(megabytes)} of members in one page, from a file to an NDJSON file`,
      `${measuredBy(compare)} Here ${rounds}; other sizes, and the same over HTTP, are below.`,
      table(compareHead, compareRows(compared)),
      `![Resident set of each tool over time](compare-${megabytes}MB-file-rss.svg)`,
    )
  }
  const columns = newest('columns')
  for (const format of ['parquet', 'csv'] as const) {
    const result = columns && [1_000_000, 200_000].flatMap((size) => columnsResult(columns, size, format) ?? [])[0]
    if (!columns || !result) continue
    const name = format === 'csv' ? 'CSV' : 'Parquet'
    sections.push(
      `### ${result.records.toLocaleString('en-US')} members (${(result.inputBytes / 1e6).toFixed(0)} MB of NDJSON) to ${name}`,
      measuredBy(columns),
      table(columnsHead, columnsRows(result)),
    )
  }
  const whole = newest('export')
  if (whole !== null) sections.push(renderExport(whole).markdown, measuredBy(whole))
  return sections.join('\n\n')
}

const measuredBy = ({ facts }: KeptRun): string =>
  `Measured by \`${facts.command}\` (interleaved; median, range in brackets; CPU time) on ${machineLine(facts)}.`
