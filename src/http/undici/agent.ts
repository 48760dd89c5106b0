// undici's agent alone. Not by way of undici's index: that loads fetch, WebSockets, caches and mocks, for 100 ms of CPU
// time and 9 MB at each start.

export { default as Agent } from 'undici/lib/dispatcher/agent.js'
