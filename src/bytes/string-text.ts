// The text of a JSON string in bytes that are known to be valid JSON.

// Here and in the stages that read records, not in a module of their own: see members.ts.
const backslash = 0x5c

/** Beyond so many bytes, looking at each of them here costs more than what JSON.parse does on top of decoding (Node.js
 *  20; measured on members). */
const longText = 80

/** Text of the JSON string in `[start, end)`, quotes included. It shares no bytes with `bytes`. */
export function stringText(bytes: Buffer, start: number, end: number): string {
  if (end - start > longText) return JSON.parse(bytes.toString('utf8', start, end)) as string
  let bits = 0
  for (let at = start + 1; at < end - 1; at++) {
    const byte = bytes[at]!
    if (byte === backslash) return JSON.parse(bytes.toString('utf8', start, end)) as string
    bits |= byte
  }
  return bytes.toString(bits < 0x80 ? 'latin1' : 'utf8', start + 1, end - 1)
}
