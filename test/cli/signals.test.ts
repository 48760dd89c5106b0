import { EventEmitter } from 'node:events'
import { expect, test, vi } from 'vitest'
import { catchSignals, type SignalSource, Stopped } from '../../src/cli/signals.js'
import { FakeClock } from '../helpers/clock.js'

class FakeProcess extends EventEmitter implements SignalSource {
  readonly exits: number[] = []
  exit(code: number): void {
    this.exits.push(code)
  }
}

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('the first %s aborts with a reason, the second ends the process with %i', (name, code) => {
  const source = new FakeProcess()
  const clock = new FakeClock()
  const { signal, dispose } = catchSignals(source, () => {}, clock)
  source.emit(name)
  expect(signal.reason).toBeInstanceOf(Stopped)
  expect(signal.reason).toMatchObject({ signal: name, exitCode: code, message: `stopped by ${name}` })
  expect(source.exits).toEqual([])
  clock.advance(301)
  source.emit(name)
  expect(source.exits).toEqual([code])
  dispose()
})

test('signals within 300 ms of the first are that one: a terminal and a runner both send theirs', () => {
  const source = new FakeProcess()
  const clock = new FakeClock()
  const { signal, dispose } = catchSignals(source, () => {}, clock)
  source.emit('SIGINT')
  source.emit('SIGINT')
  clock.advance(150)
  source.emit('SIGTERM')
  clock.advance(150)
  source.emit('SIGINT')
  expect([source.exits, signal.reason]).toMatchObject([[], { signal: 'SIGINT' }])
  clock.advance(1)
  source.emit('SIGINT')
  expect(source.exits).toEqual([130])
  dispose()
})

test('the second signal may be another one', () => {
  const source = new FakeProcess()
  const clock = new FakeClock()
  const { signal, dispose } = catchSignals(source, () => {}, clock)
  source.emit('SIGINT')
  clock.advance(1000)
  source.emit('SIGTERM')
  expect(signal.reason).toMatchObject({ signal: 'SIGINT' })
  expect(source.exits).toEqual([143])
  dispose()
})

test('a stop that takes more than five seconds is given up, also after dispose', () => {
  vi.useFakeTimers()
  try {
    const source = new FakeProcess()
    const forced: Stopped[] = []
    const { dispose } = catchSignals(source, (stopped) => forced.push(stopped))
    source.emit('SIGINT')
    dispose()
    vi.advanceTimersByTime(4999)
    expect(source.exits).toEqual([])
    vi.advanceTimersByTime(1)
    expect([source.exits, forced.map(({ signal }) => signal)]).toEqual([[130], ['SIGINT']])
  } finally {
    vi.useRealTimers()
  }
})

test('nothing is caught after dispose where there was no signal', () => {
  const source = new FakeProcess()
  catchSignals(source).dispose()
  expect(source.eventNames()).toEqual([])
})
