// SPDX-License-Identifier: Apache-2.0

// The wire format of D-Bus, little-endian (D-Bus specification, "Marshaling"), once more and for the tests alone: what
// the daemon's own code reads and writes must not be judged by that code.

struct BusWriter {
  var bytes: [UInt8] = []

  mutating func align(_ size: Int) { while bytes.count % size != 0 { bytes.append(0) } }

  mutating func integer(_ value: some FixedWidthInteger) {
    align(value.bitWidth / 8)
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }

  mutating func text(_ text: String) {
    integer(UInt32(text.utf8.count))
    bytes += Array(text.utf8) + [0]
  }

  mutating func signature(_ signature: String) { bytes += [UInt8(signature.utf8.count)] + Array(signature.utf8) + [0] }

  mutating func write(_ value: BusValue) {
    switch value {
    case .byte(let value): bytes.append(value)
    case .bool(let value): integer(UInt32(value ? 1 : 0))
    case .int16(let value): integer(value)
    case .uint16(let value): integer(value)
    case .int32(let value): integer(value)
    case .uint32(let value): integer(value)
    case .int64(let value): integer(value)
    case .uint64(let value): integer(value)
    case .double(let value): integer(value.bitPattern)
    case .string(let value), .path(let value): text(value)
    case .signature(let value): signature(value)
    case .array(let element, let members):
      integer(UInt32(0))
      let lengthAt = bytes.count - 4
      align(element.first.map(busAlignment) ?? 1)
      let start = bytes.count
      for member in members { write(member) }
      let length = UInt32(bytes.count - start)
      for index in 0..<4 { bytes[lengthAt + index] = UInt8(truncatingIfNeeded: length >> (8 * index)) }
    case .structure(let members):
      align(8)
      for member in members { write(member) }
    case .entry(let key, let value):
      align(8)
      write(key)
      write(value)
    case .variant(let value):
      signature(value.type)
      write(value)
    }
  }
}

func busAlignment(_ code: Character) -> Int {
  switch code {
  case "y", "g", "v": 1
  case "n", "q": 2
  case "b", "i", "u", "s", "o", "a": 4
  default: 8
  }
}

struct BusReader {
  let bytes: [UInt8]
  var at = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func align(_ size: Int) { at = (at + size - 1) / size * size }

  mutating func integer<T: FixedWidthInteger>(_ type: T.Type) throws -> T {
    align(T.bitWidth / 8)
    let size = T.bitWidth / 8
    guard at + size <= bytes.count else { throw WitnessError("a D-Bus message that is too short") }
    defer { at += size }
    return bytes[at..<at + size].reversed().reduce(T.zero) { $0 << 8 | T(truncatingIfNeeded: $1) }
  }

  private mutating func text(length: Int) throws -> String {
    guard at + length < bytes.count else { throw WitnessError("a D-Bus string that is too long") }
    defer { at += length + 1 }
    return String(decoding: bytes[at..<at + length], as: UTF8.self)
  }

  mutating func signature() throws -> String { try text(length: Int(integer(UInt8.self))) }

  mutating func values(_ signature: String) throws -> [BusValue] {
    var values: [BusValue] = []
    var rest = Substring(signature)
    while !rest.isEmpty { values.append(try value(BusReader.takeType(&rest))) }
    return values
  }

  private mutating func value(_ type: Substring) throws -> BusValue {
    switch type.first {
    case "y": return .byte(try integer(UInt8.self))
    case "b": return .bool(try integer(UInt32.self) != 0)
    case "n": return .int16(try integer(Int16.self))
    case "q": return .uint16(try integer(UInt16.self))
    case "i": return .int32(try integer(Int32.self))
    case "u", "h": return .uint32(try integer(UInt32.self))
    case "x": return .int64(try integer(Int64.self))
    case "t": return .uint64(try integer(UInt64.self))
    case "d": return .double(Double(bitPattern: try integer(UInt64.self)))
    case "s": return .string(try text(length: Int(integer(UInt32.self))))
    case "o": return .path(try text(length: Int(integer(UInt32.self))))
    case "g": return .signature(try signature())
    case "v":
      guard let value = try values(signature()).first else { throw WitnessError("an empty variant") }
      return .variant(value)
    case "(":
      align(8)
      return .structure(try values(String(type.dropFirst().dropLast())))
    case "{":
      align(8)
      let pair = try values(String(type.dropFirst().dropLast()))
      guard pair.count == 2 else { throw WitnessError("a dictionary entry of \(pair.count)") }
      return .entry(pair[0], pair[1])
    case "a":
      let element = type.dropFirst()
      let length = Int(try integer(UInt32.self))
      align(element.first.map(busAlignment) ?? 1)
      let end = at + length
      var members: [BusValue] = []
      while at < end { members.append(try value(element)) }
      return .array(String(element), members)
    default: throw WitnessError("the D-Bus type \(type) is not known here")
    }
  }

  private static func takeType(_ signature: inout Substring) -> Substring {
    var end = signature.startIndex
    while end < signature.endIndex, signature[end] == "a" { end = signature.index(after: end) }
    var depth = 0
    repeat {
      guard end < signature.endIndex else { break }
      if "({".contains(signature[end]) { depth += 1 }
      if ")}".contains(signature[end]) { depth -= 1 }
      end = signature.index(after: end)
    } while depth > 0
    defer { signature = signature[end...] }
    return signature[..<end]
  }
}
