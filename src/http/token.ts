// What a token may be made of.

/** Whether it can be sent: a line end would let it write headers of its own, and what is not ASCII cannot stand in
 *  one. */
export function isToken(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text)
}

/** Text without the line ends around it, which what prints a line, or a file that holds one, leaves in a variable. */
export function withoutLineEnds(text: string): string {
  return text.replace(/^[\r\n]+|[\r\n]+$/g, '')
}
