// What may stand between cells of CSV and around strings.

/** Whether it is one character, in one unit of UTF-16, that ends no line. */
export function isCsvCharacter(text: string): boolean {
  return text.length === 1 && text !== '\n' && text !== '\r' && !/\p{Surrogate}/u.test(text)
}
