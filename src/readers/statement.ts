// The code with which a reader reads a file rightly: every column declared, nothing inferred.

import { athena } from './athena.js'
import { bigquery } from './bigquery.js'
import { clickhouse } from './clickhouse.js'
import { duckdb } from './duckdb.js'
import type { FileFacts } from './facts.js'
import { mariadb } from './mariadb.js'
import type { ReaderName } from './names.js'
import { polars } from './polars.js'
import { postgres } from './postgres.js'
import { pandas, pyarrow } from './pyarrow.js'
import { snowflake } from './snowflake.js'
import { spark } from './spark.js'
import { sqlite } from './sqlite.js'

const statements: { readonly [reader in ReaderName]: (facts: FileFacts) => string } = {
  duckdb,
  polars,
  pyarrow,
  pandas,
  clickhouse,
  postgres,
  mariadb,
  sqlite,
  spark,
  athena,
  bigquery,
  snowflake,
}

/** Code that reads the file, with a line end at its end.
 *  @throws ConfigError ERR_OPTION_INVALID where the reader cannot read such a file rightly */
export function statementOf(reader: ReaderName, facts: FileFacts): string {
  return statements[reader](facts)
}
