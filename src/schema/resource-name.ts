// The name of a list, `model/resource`, such as instant-messaging/members.

/** Each a word, or several joined by `-` or `_`: no dot, slash or percent sign gets into the path of a request, and no
 *  file in a folder is taken for one. */
export function isResourceName(text: string): boolean {
  return /^[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*\/[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*$/.test(text)
}
