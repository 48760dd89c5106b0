// What every place owes that keeps things over an interruption, as a suite that takes a factory: tokens, staging,
// publishing, and each ability that it has. `memory` runs it first: it is the reference. A store is one more factory.

import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { ClaimedPlace, Destination, KeptToken, PlaceWriter } from '../../src/destination/destination.js'

export interface KeptPlace {
  /** The place, as another process would open it. */
  make(options?: { overwrite?: boolean }): Destination
  /** What is visible, part by part; null where nothing is. */
  visible(): Promise<string[] | null>
  /** What tells of it; null where nothing does. */
  manifest(): Promise<string | null>
  /** Whether anything is kept of what is not published. */
  hasPartial(): Promise<boolean>
  [Symbol.asyncDispose](): Promise<void>
}

/** A manifest that is ours by its beginning. */
const manifest = Buffer.from('{"kind": "truto-export manifest"}')

const claim = async (place: KeptPlace, options?: { overwrite?: boolean }): Promise<ClaimedPlace> =>
  (await place.make(options).resumable!())!.claim()

async function put(writer: PlaceWriter, ...parts: readonly string[]): Promise<void> {
  for (const part of parts) {
    await writer.parts?.end()
    await writer.write(Buffer.from(part))
  }
}

async function publish(writer: PlaceWriter, text: Buffer | null = manifest): Promise<void> {
  await writer.stage()
  await writer.publish(text)
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** A token as it comes out of a checkpoint. */
const saved = (token: KeptToken): KeptToken => JSON.parse(JSON.stringify(token)) as KeptToken

export function placeConformance(name: string, make: () => Promise<KeptPlace>): void {
  /** A run that has kept `kept` and written `more` after it, and was stopped; what a run after it resumes with. */
  async function interrupted(place: KeptPlace, kept: readonly string[], more = ''): Promise<KeptToken> {
    const claimed = await claim(place)
    const writer = await claimed.begin({ tokens: true })
    await put(writer, ...kept)
    const token = saved(await writer.keep())
    await writer.write(Buffer.from(more))
    await writer.abort({ upTo: token })
    await claimed.release()
    return token
  }

  describe(`${name} as a place that keeps`, () => {
    test('shows nothing before it is published, and then all of it with its manifest', async () => {
      await using place = await make()
      const claimed = await claim(place)
      const writer = await claimed.begin({ digest: true })
      await put(writer, 'one\n', 'two\n')
      await writer.keep()
      expect(await place.visible()).toBeNull()
      expect(writer.sha256()).toBe(sha256('one\ntwo\n'))
      await writer.stage()
      expect([await place.visible(), await place.manifest()]).toEqual([null, null])
      await writer.publish(manifest)
      await claimed.release()
      expect((await place.visible())!.join('')).toBe('one\ntwo\n')
      expect(await place.manifest()).toBe(manifest.toString())
      expect([await place.hasPartial(), writer.isOurs]).toEqual([false, false])
    })

    test('an output without a byte is one, too', async () => {
      await using place = await make()
      const claimed = await claim(place)
      await publish(await claimed.begin(), null)
      await claimed.release()
      expect(await place.visible()).toEqual([''])
      expect(await place.manifest()).toBeNull()
    })

    test('leaves nothing after an abort that keeps nothing', async () => {
      await using place = await make()
      const claimed = await claim(place)
      const writer = await claimed.begin({ tokens: true })
      await put(writer, 'one\n')
      await writer.keep()
      await writer.abort()
      await writer.abort()
      await claimed.release()
      expect([await place.visible(), await place.hasPartial()]).toEqual([null, false])
      expect(writer.left).toMatch(/removed|nothing/)
    })

    test.each([false, true])(
      'resumes after what its token tells of, and drops what came after; with a digest: %s',
      async (digest) => {
        await using place = await make()
        const kept = await interrupted(place, ['one\n', 'two\n'], 'lost')
        const claimed = await claim(place)
        const writer = await claimed.resume(kept, { digest, tokens: true })
        expect(writer.bytesWritten).toBe(8)
        await writer.write(Buffer.from('three\n'))
        const all = 'one\ntwo\nthree\n'
        expect(writer.sha256()).toBe(digest ? sha256(all) : null)
        await publish(writer)
        await claimed.release()
        expect((await place.visible())!.join('')).toBe(all)
      },
    )

    test('is resumed as often as one likes, to the same bytes', async () => {
      await using place = await make()
      let kept = await interrupted(place, [], 'lost')
      for (const text of ['a', 'b', 'c']) {
        const claimed = await claim(place)
        const writer = await claimed.resume(kept, { tokens: true })
        await writer.write(Buffer.from(text))
        kept = saved(await writer.keep())
        await writer.write(Buffer.from('lost'))
        await writer.abort({ upTo: null })
        await claimed.release()
      }
      const claimed = await claim(place)
      await publish(await claimed.resume(kept))
      await claimed.release()
      expect((await place.visible())!.join('')).toBe('abc')
    })

    test('proves its token: what is shorter or another is refused, and stays as it is', async () => {
      await using place = await make()
      const kept = await interrupted(place, ['one\n', 'two\n'])
      const other = (await interruptedElsewhere(['ONE\n', 'two\n']))!
      const longer = (await interruptedElsewhere(['one\n', 'two\n', 'three\n']))!
      const claimed = await claim(place)
      for (const token of [other, longer]) {
        await expect(claimed.resume(token)).rejects.toMatchObject({ code: 'ERR_STATE_OUTPUT', exitCode: 8 })
      }
      for (const token of [null, {}, [], 'text']) {
        await expect(claimed.resume(token)).rejects.toMatchObject({ code: 'ERR_STATE_CORRUPT', exitCode: 8 })
      }
      const writer = await claimed.resume(kept)
      await publish(writer)
      await claimed.release()
      expect((await place.visible())!.join('')).toBe('one\ntwo\n')
    })

    test('what is gone is refused', async () => {
      await using place = await make()
      const token = (await interruptedElsewhere(['one\n']))!
      const claimed = await claim(place)
      await expect(claimed.resume(token)).rejects.toMatchObject({ code: 'ERR_STATE_OUTPUT', exitCode: 8 })
      await claimed.release()
    })

    test('publishes what another run staged, whichever step that had come to, and as often as it is asked', async () => {
      await using place = await make()
      const first = await claim(place)
      const writer = await first.begin({ tokens: true })
      await put(writer, 'one\n', 'two\n')
      const pending = saved(await writer.stage())
      await writer.abort({ upTo: pending }) // it died before the name was given
      await first.release()
      for (let time = 0; time < 3; time++) {
        const claimed = await claim(place, { overwrite: true })
        await claimed.publish(pending, manifest)
        await claimed.release()
        expect((await place.visible())!.join('')).toBe('one\ntwo\n')
        expect(await place.manifest()).toBe(manifest.toString())
        expect(await place.hasPartial()).toBe(false)
      }
    })

    test('gives a manifest to what was published without one', async () => {
      await using place = await make()
      const first = await claim(place)
      const writer = await first.begin({ tokens: true })
      await put(writer, 'one\n')
      const pending = saved(await writer.stage())
      await writer.publish(null) // it died before the manifest
      await first.release()
      const claimed = await claim(place)
      await claimed.publish(pending, manifest)
      await claimed.release()
      expect([await place.visible(), await place.manifest()]).toEqual([['one\n'], manifest.toString()])
    })

    test('what was staged and cannot be published any more is refused, and what is visible stays', async () => {
      await using place = await make()
      const token = (await interruptedElsewhere(['another\n']))!
      const claimed = await claim(place)
      const writer = await claimed.begin()
      await put(writer, 'one\n')
      await publish(writer)
      await expect(claimed.publish(token, manifest)).rejects.toMatchObject({ exitCode: expect.any(Number) })
      await claimed.release()
      expect(await place.visible()).toEqual(['one\n'])
    })

    test('is of one holder at a time', async () => {
      await using place = await make()
      const first = await claim(place)
      await expect(claim(place)).rejects.toMatchObject({ code: 'ERR_STATE_LOCKED', exitCode: 8 })
      await first.release()
      await (await claim(place)).release()
    })

    test('replaces an output where that is allowed, as a whole and at the end', async () => {
      await using place = await make()
      const first = await claim(place)
      const old = await first.begin()
      await put(old, 'old\n', 'old too\n')
      await publish(old)
      await first.release()
      const refusing = await claim(place)
      await expect(refusing.begin()).rejects.toMatchObject({ code: 'ERR_OUTPUT_EXISTS', exitCode: 2 })
      await refusing.release()
      const claimed = await claim(place, { overwrite: true })
      expect(claimed.overwrite).toBe(true)
      const writer = await claimed.begin()
      await put(writer, 'new\n')
      expect((await place.visible())!.join('')).toBe('old\nold too\n')
      await publish(writer, null)
      await claimed.release()
      // the old manifest told of the old output
      expect([await place.visible(), await place.manifest()]).toEqual([['new\n'], null])
    })

    test('has a place for the checkpoint, which outlives a claim', async () => {
      await using place = await make()
      const first = await claim(place)
      const store = await first.checkpoints.open()
      await store.save(Buffer.from('state'))
      await store.close()
      await first.release()
      const second = await claim(place)
      const again = await second.checkpoints.open()
      expect(Buffer.from((await again.load())!).toString()).toBe('state')
      await again.remove()
      expect(await again.load()).toBeNull()
      await again.close()
      await second.release()
    })

    test.each([0, 1, 4, 6, 8, 9])('where it can go back: to %i bytes, and on from there', async (bytes) => {
      await using place = await make()
      const claimed = await claim(place)
      const writer = await claimed.begin({ digest: true, tokens: true })
      const { rewind } = writer
      if (rewind !== undefined) {
        await put(writer, 'abcd', 'ef', 'ghi')
        const kept = await rewind.keptAt(bytes)
        await rewind.to(bytes)
        expect(writer.bytesWritten).toBe(bytes)
        expect(saved(await writer.keep())).toEqual(saved(kept))
        await writer.write(Buffer.from('!'))
        const all = `${'abcdefghi'.slice(0, bytes)}!`
        expect(writer.sha256()).toBe(sha256(all))
        await publish(writer)
        expect((await place.visible())!.join('')).toBe(all)
      } else await writer.abort()
      await claimed.release()
    })

    test.each([0, 1, 4, 5, 6, 9])(
      'where it has parts: goes on after %i bytes of them with the part that they are in',
      async (bytes) => {
        await using place = await make()
        const first = await claim(place)
        const writer = await first.begin({ tokens: true })
        const hasAbilities = writer.parts !== undefined && writer.rewind !== undefined
        if (hasAbilities) {
          await put(writer, 'abcd', 'ef', 'ghi')
          expect(writer.parts!.list().map((part) => part.bytes)).toEqual([4, 2, 3])
        }
        const kept = hasAbilities ? saved(await writer.rewind!.keptAt(bytes)) : null
        await writer.abort(kept === null ? undefined : { upTo: null })
        await first.release()
        if (kept === null) return
        const claimed = await claim(place)
        const second = await claimed.resume(kept)
        await second.parts!.end()
        await second.parts!.end()
        await second.write(Buffer.from('next'))
        await publish(second)
        await claimed.release()
        const before = ['abcd', 'ef', 'ghi'].map((text, i) => text.slice(0, Math.max(0, bytes - [0, 4, 6][i]!)))
        expect(await place.visible()).toEqual([...before.filter(Boolean), 'next'])
      },
    )

    /** The token of an export to another place of this kind. */
    async function interruptedElsewhere(kept: readonly string[]): Promise<KeptToken> {
      await using place = await make()
      return await interrupted(place, kept)
    }
  })
}
