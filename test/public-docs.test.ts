// The documentation that an editor shows of what can be imported names nothing that cannot be: walked over the
// declarations of the built package, from those that the index exports to all that these are made of.

import * as events from 'node:events'
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import * as stream from 'node:stream'
import * as zlib from 'node:zlib'
import { expect, test } from 'vitest'

const dist = resolve(import.meta.dirname, '../dist')

interface Declaration {
  readonly text: string
  /** Comments of it and in it. */
  readonly comments: readonly string[]
}

interface Module {
  readonly declarations: ReadonlyMap<string, Declaration>
  /** By name, the module and the name there. */
  readonly imports: ReadonlyMap<string, readonly [file: string, name: string]>
}

const modules = new Map<string, Module>()

/** A file of declarations, as its statements. Each begins in the first column, and nothing else does but what closes
 *  one. */
function moduleOf(file: string): Module {
  const known = modules.get(file)
  if (known !== undefined) return known
  const declarations = new Map<string, Declaration>()
  const imports = new Map<string, readonly [string, string]>()
  const text = readFileSync(file, 'utf8')
  const statements = text.split(/\n(?=\/\*\*|(?:export|import|declare|type|interface|class)\b)/)
  let above: string[] = []
  for (const statement of statements) {
    const isComment = statement.startsWith('/**')
    const from = /from '(\.[^']+)'/.exec(statement)?.[1]
    if (from !== undefined) {
      const target = join(dirname(file), from.replace(/\.js$/, '.d.ts'))
      const names = /\{([^}]*)\}/.exec(statement)?.[1] ?? ''
      for (const item of names.split(',')) {
        const [, name, alias] = /^\s*(?:type )?(\w+)(?: as (\w+))?\s*$/.exec(item) ?? []
        if (name !== undefined) imports.set(alias ?? name, [target, name])
      }
      continue
    }
    const name =
      /^(?:\/\*\*.*?\*\/\s*)?(?:export )?(?:declare )?(?:abstract )?(?:function|class|const|interface|type) (\w+)/s.exec(
        statement,
      )?.[1]
    if (name === undefined) {
      above = isComment ? [statement] : []
      continue
    }
    const comments = [...above, ...(statement.match(/\/\*\*.*?\*\//gs) ?? [])]
    const other = declarations.get(name) // overloads
    declarations.set(name, {
      text: `${other?.text ?? ''}\n${statement}`,
      comments: [...(other?.comments ?? []), ...comments],
    })
    above = []
  }
  const module = { declarations, imports }
  modules.set(file, module)
  return module
}

/** All that can be seen of the names that the index exports. */
function reached(): { exported: Set<string>; seen: Map<string, Declaration> } {
  const index = join(dist, 'index.d.ts')
  const exported = new Set(moduleOf(index).imports.keys())
  const seen = new Map<string, Declaration>()
  const visit = (file: string, name: string): void => {
    const { declarations, imports } = moduleOf(file)
    const imported = imports.get(name)
    if (imported !== undefined) {
      visit(...imported)
      return
    }
    const declaration = declarations.get(name)
    const key = `${file} ${name}`
    if (declaration === undefined || seen.has(key)) return
    seen.set(key, declaration)
    for (const [word] of declaration.text.replace(/\/\*\*.*?\*\//gs, '').matchAll(/\b\w+\b/g)) {
      if (declarations.has(word) || imports.has(word)) visit(file, word)
    }
  }
  for (const name of exported) visit(index, name)
  return { exported, seen }
}

/** What Node.js has under names that a reader knows. */
const ofNode = new Set([...Object.keys(zlib), ...Object.keys(stream), ...Object.keys(events)])
/** Words of JSON Schema and of TypeScript's options, and a cursor. */
const ofOthers = new Set(['additionalProperties', 'exactOptionalPropertyTypes', 'eyJwIjoyfQ'])

test('names in the documentation of what can be imported can be imported', () => {
  const { exported, seen } = reached()
  expect(exported.size).toBeGreaterThan(60)
  expect(seen.size).toBeGreaterThan(exported.size)
  const texts = [...seen.values()].map(({ text }) => text.replace(/\/\*\*.*?\*\//gs, ''))
  /** Properties, parameters and the values of unions of texts. */
  const parts = new Set(
    texts.flatMap((text) =>
      [...text.matchAll(/(\w+)\??\s*[:(<]|["']([^"'\n]+)["']/g)].map(([, name, value]) => name ?? value),
    ),
  )
  const isKnown = (name: string): boolean =>
    exported.has(name) || parts.has(name) || name in globalThis || ofNode.has(name) || ofOthers.has(name)
  // a plain word may be one of the wire, of a shell or of a stream's events
  const isStrange = (name: string): boolean => /^[a-z]+[A-Z]\w*$|^[A-Z][a-z]\w*$/.test(name) && !isKnown(name)
  const strange: string[] = []
  for (const [key, { comments }] of seen) {
    for (const [, code] of comments.join('\n').matchAll(/`([^`\n]+)`/g)) {
      const [, name, rest] = /^(\w+)(\(.*\)|\.\w+)?$/.exec(code!) ?? []
      if (name === undefined || !(isStrange(name) || rest === '.ts')) continue
      strange.push(`${key.slice(dist.length + 1)}: ${code}`)
    }
  }
  expect(strange).toEqual([])
})
