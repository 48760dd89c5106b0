// A module with a query is another copy of it.
declare module '*.js?copy'
