// The engines by their names, the default first.

export const engineNames = ['simd', 'js', 'stream-json', 'streamparser'] as const
export type EngineName = (typeof engineNames)[number]

const libraries: readonly EngineName[] = ['stream-json', 'streamparser']

/** Whether records keep the bytes that the server sent: the two libraries print them again. */
export function keepsBytes(engine: EngineName): boolean {
  return !libraries.includes(engine)
}
