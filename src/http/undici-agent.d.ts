// The types of undici's Agent where it is imported without the rest of undici.

declare module 'undici/lib/dispatcher/agent.js' {
  export { Agent as default } from 'undici'
}
