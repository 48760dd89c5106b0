// The version of this package: for the user agent, for `created_by` of Parquet files and for --version. A test holds it
// to package.json.

export const version = '0.1.0'
