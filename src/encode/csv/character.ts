// What may stand between cells of CSV, around strings and in place of a value.

/** Whether it is one character, in one unit of UTF-16, that ends no line. */
export function isCsvCharacter(text: string): boolean {
  return text.length === 1 && text !== '\n' && text !== '\r' && !/\p{Surrogate}/u.test(text)
}

/** What tells cells from each other. */
export interface CsvCharacters {
  readonly delimiter: string
  readonly quote: string
  readonly escape: 'quote' | 'backslash'
}

/** Whether the backslash that is to stand before quotes has another meaning already. */
export function isEscapeTaken({ delimiter, quote, escape: escaping }: CsvCharacters): boolean {
  return escaping === 'backslash' && (delimiter === '\\' || quote === '\\')
}

/** Why a text cannot stand for null, as what follows the text in a sentence; undefined where it can. */
export function nullFaultOf(text: string, { delimiter, quote }: CsvCharacters): string | undefined {
  if (text.includes(delimiter)) return 'has the delimiter in it'
  if (text.includes(quote)) return 'has the quote in it'
  if (/[\p{Cc}\p{Surrogate}\ufeff]/u.test(text)) return 'has characters in it that are no text'
  if (/^(?:true|false|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)$/.test(text)) return 'is a value that a cell may have'
  return undefined
}
