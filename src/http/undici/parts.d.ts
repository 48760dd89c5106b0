// The types of undici's parts where they are imported without the rest of undici.

declare module 'undici/lib/dispatcher/agent.js' {
  export { Agent as default } from 'undici'
}

declare module 'undici/lib/core/connect.js' {
  export { buildConnector as default } from 'undici'
}

declare module 'undici/lib/core/symbols.js' {
  const symbols: { readonly kParser: symbol }
  export default symbols
}
