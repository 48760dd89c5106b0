import { expect, test } from 'vitest'
import { ThriftWriter, thriftBinary, thriftI32, thriftStruct } from '../../../src/encode/parquet/thrift.js'

function written(write: (thrift: ThriftWriter) => void): number[] {
  const thrift = new ThriftWriter()
  thrift.element(() => write(thrift))
  return [...thrift.take()]
}

test('fields have their type and the step from the field before, numbers are zigzag varints', () => {
  expect(written(() => {})).toEqual([0])
  expect(written((thrift) => thrift.i32(1, -1))).toEqual([0x15, 1, 0])
  expect(written((thrift) => thrift.i32(3, 150))).toEqual([0x35, 0xac, 0x02, 0])
  expect(written((thrift) => thrift.i32(1, -(2 ** 31)))).toEqual([0x15, 0xff, 0xff, 0xff, 0xff, 0x0f, 0])
  expect(written((thrift) => thrift.i64(1, 2 ** 40))).toEqual([0x16, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40, 0])
  expect(written((thrift) => [thrift.boolean(1, true), thrift.boolean(2, false)])).toEqual([0x11, 0x12, 0])
  expect(written((thrift) => thrift.text(1, 'é'))).toEqual([0x18, 2, 0xc3, 0xa9, 0])
})

test('a struct counts its fields from the beginning, and the one around it goes on counting', () => {
  const bytes = written((thrift) => {
    thrift.struct(4, () => thrift.i32(2, 0))
    thrift.i32(5, 1)
  })
  expect(bytes).toEqual([0x4c, 0x25, 0, 0, 0x15, 2, 0])
})

test('a list has its length in its head up to fourteen, and after it beyond', () => {
  const list = (count: number) => (thrift: ThriftWriter) =>
    thrift.list(1, thriftI32, new Array<number>(count).fill(1), (value) => thrift.i32Element(value))
  expect(written(list(14))).toEqual([0x19, 0xe5, ...new Array<number>(14).fill(2), 0])
  expect(written(list(200))).toEqual([0x19, 0xf5, 200, 1, ...new Array<number>(200).fill(2), 0])
  expect(written((thrift) => thrift.list(1, thriftBinary, ['a'], (text) => thrift.textElement(text)))).toEqual([
    0x19, 0x18, 1, 0x61, 0,
  ])
  const structs = written((thrift) =>
    thrift.list(2, thriftStruct, [7], (value) => thrift.element(() => thrift.i32(1, value))),
  )
  expect(structs).toEqual([0x29, 0x1c, 0x15, 14, 0, 0])
})

test('fields out of order are refused', () => {
  expect(() => written((thrift) => [thrift.i32(2, 0), thrift.i32(2, 0)])).toThrow(RangeError)
})
