// How our files name their writer. parquet-mr trusts string statistics only of files whose created_by reads `name version x.y.z (build hash)`
// (its VersionParser; seen in duckdb/duckdb#13464).

import { version } from '../../version.js'

/** `truto-export version 1.2.3 (build <build>)`, where `build` says which library wrote. */
export function createdBy(build: string): string {
  return `truto-export version ${version} (build ${build})`
}
