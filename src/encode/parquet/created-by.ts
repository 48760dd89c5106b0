// How our files name their writer. parquet-mr trusts string statistics only of files whose created_by reads `name version x.y.z (build hash)`
// (its VersionParser; seen in duckdb/duckdb#13464).

import { readFileSync } from 'node:fs'

/** `truto-export version 1.2.3 (build <build>)`, where `build` says which library wrote. */
export function createdBy(build: string): string {
  // src and dist lie equally deep in the package
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(text) as { version: string }
  return `truto-export version ${version} (build ${build})`
}
