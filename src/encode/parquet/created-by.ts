// How our files name their writer. parquet-mr trusts string statistics only of files whose created_by reads `name
// version x.y.z (build hash)` (its VersionParser; seen in duckdb/duckdb#13464).

import { version } from '../../version.js'

/** `build` says which of our writers wrote. */
export const createdBy = `truto-export version ${version} (build builtin)`
