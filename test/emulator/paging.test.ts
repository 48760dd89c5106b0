import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  cursorStyles,
  decodeCursor,
  encodeCursor,
  firstPage,
  type PagePosition,
  type PagingOptions,
  planPage,
  positionOf,
} from '../../src/emulator/paging.js'

const numRuns = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 20_000 : 500

const oddPaging: fc.Arbitrary<PagingOptions> = fc.record({
  emptyPages: fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 3 }),
  shortPages: fc.boolean(),
  trailingEmptyPage: fc.boolean(),
  overlap: fc.nat(4),
})

test('following the cursors of any style gives every record in order, whatever the oddities', () => {
  fc.assert(
    fc.property(
      fc.nat(60),
      fc.integer({ min: 1, max: 20 }),
      fc.nat(),
      fc.constantFrom(...cursorStyles),
      oddPaging,
      (total, limit, seed, style, options) => {
        const seen: number[] = []
        let position: PagePosition | undefined = firstPage
        let pages = 0
        while (position) {
          expect(++pages).toBeLessThan(100)
          const plan = planPage(position, total, limit, options, seed)
          expect(plan.count).toBeLessThanOrEqual(limit + options.overlap!)
          for (let i = 0; i < plan.count; i++) if (plan.start + i >= seen.length) seen.push(plan.start + i)
          if (plan.page > 1 && plan.count > 0) expect(plan.start).toBe(Math.max(0, plan.offset - options.overlap!))
          if (!plan.next) break
          const text = `${encodeCursor(plan.next, style)}`
          const decoded = decodeCursor(text, style, (page) => positionOf(page, total, limit, options, seed))
          expect(decoded).toMatchObject({ ...plan.next })
          position = decoded
        }
        expect(seen).toEqual(Array.from({ length: total }, (_, index) => index))
      },
    ),
    { numRuns },
  )
})

test('an empty page in the middle has a cursor and no record', () => {
  const plan = planPage({ page: 2, offset: 10 }, 30, 10, { emptyPages: [2] }, 1)
  expect(plan).toMatchObject({ count: 0, next: { page: 3, offset: 10 } })
})

test('a loop leads back to the exact cursor of an earlier page', () => {
  const options = { loop: { from: 3, to: 2 } }
  const second = planPage(firstPage, 1000, 10, options, 1).next!
  const third = planPage(second, 1000, 10, options, 1).next!
  expect(planPage(third, 1000, 10, options, 1).next).toEqual(second)
})

test('a cursor that was changed by a byte is refused, in every style', () => {
  const position = { page: 12, offset: 2200 }
  for (const style of cursorStyles) {
    const locate = (page: number): PagePosition => ({ page, offset: 0 })
    const text = `${encodeCursor(position, style, 77)}`
    expect(decodeCursor(text, style, locate)).toBeDefined()
    for (const wrong of [`${text}x`, `x${text}`, text.slice(0, -1).concat('!'), '', 'undefined', '%00']) {
      expect(decodeCursor(wrong, style, locate)).toBeUndefined()
    }
  }
})

test('styles hold the characters that they are for', () => {
  for (let page = 1; page < 50; page++) {
    const position = { page, offset: page * 137 }
    expect(encodeCursor(position, 'base64')).toMatch(/^(?=.*\+)(?=.*\/).*=$/)
    expect(encodeCursor(position, 'base64url')).toMatch(/^eyJ[\w-]+$/)
    expect(encodeCursor(position, 'url')).toMatch(/^https:.*\?.*&.*=.*#/)
    expect(encodeCursor(position, 'odd')).toMatch(/^(?=.*\+)(?=.*\/)(?=.*=)(?=.*&)(?=.*#)(?=.*%)(?=.* )(?=.*é)/)
    expect(`${encodeCursor(position, 'long')}`.length).toBeGreaterThan(5000)
    expect(encodeCursor(position, 'number')).toBe(page)
  }
})
