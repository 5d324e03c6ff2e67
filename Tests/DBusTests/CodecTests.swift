// SPDX-License-Identifier: Apache-2.0

import CDBus
import CWitness
import EventLoop
import Glibc
import Testing

@testable import DBus

@Suite("The codec")
struct CodecTests {
  /// Writes a value into a message, and reads it back.
  private func roundTrip(_ value: Value) throws -> Value {
    let message = try Message.signal("/", "a.b", "C")
    var writer = Writer(message.pointer)
    try writer.write(arguments: [value])
    var reader = Reader(message.pointer)
    return try Value(anyFrom: &reader)
  }

  private func refusal(_ value: Value) -> DBusError? {
    do {
      _ = try roundTrip(value)
      return nil
    } catch {
      return error as? DBusError
    }
  }

  @Test(
    "Values of all types come back as they went",
    arguments: [
      .byte(255), .boolean(true), .int16(-5), .uint16(65535), .int32(.min), .uint32(.max), .int64(.min), .uint64(.max),
      .double(-0.25), .string(""), .string("Zürich 🐎 and quite a bit more"), .objectPath("/a/b_1"), .signature("a{sv}"),
      .array([], of: "a{sv}"), .array([.byte(1), .byte(2)], of: "y"),
      .array([.array([.string("x")], of: "s"), .array([], of: "s")], of: "as"),
      .dictionary([:], key: "s", value: "v"),
      .dictionary(["a": .variant(.uint32(1)), "b": .variant(.array([], of: "(su)"))], key: "s", value: "v"),
      .dictionary([.uint32(1): .structure([.string("x")])], key: "u", value: "(s)"),
      .structure([.string("a"), .structure([.boolean(false)])]), .variant(.variant(.int32(1))),
    ] as [Value])
  func values(_ value: Value) throws {
    #expect(try roundTrip(value) == value)
    #expect(try roundTrip(.variant(value)) == .variant(value))
  }

  @Test("Typed values are the same on the bus as values of any type")
  func typed() throws {
    let list: [[String: Value]] = [["Id": "k7-1", "Count": .uint32(2), "Names": ["a", "b"].value], [:]]
    #expect([[String: Value]](try roundTrip(list.value)) == list)
    let structure = Structure("a", UInt32(5), ["x": true])
    let back = try #require(Structure<String, UInt32, [String: Bool]>(try roundTrip(structure.value)))
    #expect(back.fields == structure.fields)
    #expect([String](try roundTrip(list.value)) == nil)
    #expect(Value.uint32(1).as(UInt16.self) == nil)
  }

  @Test("A file descriptor goes as a duplicate and is closed when nobody holds it")
  func descriptors() throws {
    var ends: [Int32] = [0, 0]
    #expect(witness_pipe(&ends) == 0)
    defer { close(ends[0]) }
    var copy: UnixFD?
    if case .unixFD(let received) = try roundTrip(.unixFD(UnixFD(owning: ends[1]))) { copy = received }
    let number = try #require(copy?.descriptor)
    #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
    var byte: UInt8 = 9
    #expect(write(number, &byte, 1) == 1 && read(ends[0], &byte, 1) == 1)
    copy = nil
    // Not by number, which another test may have got meanwhile: nobody writes any more, not even what was passed.
    #expect(read(ends[0], &byte, 1) == 0, "the last writer is closed")
  }

  @Test("A closed file descriptor is refused, not the end of the process")
  func closedDescriptor() {
    #expect(refusal(.unixFD(UnixFD(owning: 999_999)))?.name == .invalidArgs)
  }

  @Test("A NUL in a string is refused, not cut off")
  func nul() {
    #expect(refusal("a\0b")?.name == .invalidArgs)
    #expect(refusal("\0")?.message.contains("NUL") == true)
    #expect(refusal(.dictionary(["a\0": .variant(true)], key: "s", value: "v"))?.name == .invalidArgs)
  }

  @Test("Containers whose content is not of their type are refused")
  func wrongContent() {
    #expect(refusal(.array([.byte(1)], of: "s"))?.name == .invalidArgs)
    #expect(refusal(.array([], of: "ss"))?.name == .invalidArgs)
    #expect(refusal(.structure([]))?.name == .invalidArgs)
    #expect(refusal(.variant(.structure([])))?.name == .invalidArgs)
    #expect(refusal(.dictionary([.variant("a"): "b"], key: "v", value: "s"))?.name == .invalidArgs)
    #expect(refusal(.dictionary([.byte(1): "b"], key: "s", value: "s"))?.name == .invalidArgs)
  }

  @Test("Values may be nested 64 deep and no deeper")
  func depth() throws {
    func nested(_ count: Int) -> Value { (0..<count).reduce(Value.byte(1)) { value, _ in .variant(value) } }
    #expect(try roundTrip(nested(64)) == nested(64))
    #expect(refusal(nested(65))?.name == .limitsExceeded)
    #expect(refusal(nested(5000))?.name == .limitsExceeded)
  }

  @Test("A message larger than 8 MiB is refused while it is written")
  func size() throws {
    let half = Value.string(String(repeating: "x", count: Limits.messageBytes / 2 - 100))
    #expect(try roundTrip(.array([half], of: "s")) == .array([half], of: "s"))
    let error = refusal(.array([half, half, half], of: "s"))
    #expect(error?.name == .limitsExceeded)
    #expect(error?.message.contains("8388608") == true)
    let many = Value.array(Array(repeating: .variant(.byte(1)), count: 1_000_000), of: "v")
    #expect(refusal(many)?.name == .limitsExceeded, "small values count what they cost")
  }

  @Test("A key that is given twice is refused")
  func twice() throws {
    let message = try Message.signal("/", "a.b", "C")
    var writer = Writer(message.pointer)
    try writer.container(dbus_type_array, "{sv}") { (array: inout Writer) throws(DBusError) in
      for _ in 0..<2 {
        try array.container(dbus_type_dict_entry, nil) { (entry: inout Writer) throws(DBusError) in
          try entry.write("visibility")
          try entry.write(Value.byte(1))
        }
      }
    }
    var reader = Reader(message.pointer)
    do {
      _ = try reader.read([String: Value].self)
      Issue.record("It was accepted")
    } catch {
      #expect(error.message.contains("visibility"))
    }
  }

  @Test("Reading another type than there is throws and leaves the reader where it was")
  func wrongType() throws {
    let message = try Message.signal("/", "a.b", "C")
    var writer = Writer(message.pointer)
    try writer.write("text")
    var reader = Reader(message.pointer)
    #expect(throws: DBusError.self) { try reader.read(UInt64.self) }
    #expect(throws: DBusError.self) { try reader.read([String].self) }
    #expect(try reader.read(String.self) == "text")
    #expect(throws: DBusError.self) { try reader.read(String.self) }
  }

  @Test("Paths are escaped byte by byte")
  func paths() throws {
    let base = ObjectPath.root.appending(escaping: "u1000")
    #expect(base.appending(escaping: "juliet@shakespeare.lit").text == "/u1000/juliet_40shakespeare_2elit")
    #expect(base.appending(escaping: "1ü_").text == "/u1000/1_c3_bc_5f")
    #expect(base.appending(escaping: "").text == "/u1000/_")
    #expect(ObjectPath("/a/bc").isWithin("/a") && !ObjectPath("/ab").isWithin("/a") && ObjectPath("/a").isWithin("/"))
    #expect(ObjectPath("/a/b/c").component(below: "/a") == "b")
  }

  @Test(
    "Garbage is refused wherever a name goes to libdbus",
    arguments: ["", "a b", "ä", "a\0.b", ".", "/", "//", "a.b\n", "\u{1F40E}.x", String(repeating: "a.", count: 500)])
  func garbage(_ text: String) {
    #expect(throws: DBusError.self) { try Validation.busName(text) }
    #expect(throws: DBusError.self) { try Validation.interface(text) }
    #expect(throws: DBusError.self) { try Validation.member(text) }
    if text != "/" { #expect(throws: DBusError.self) { try ObjectPath(text) } }
    if !text.isEmpty { #expect(throws: DBusError.self) { try Signature(text) } }
    #expect(throws: DBusError.self) { try Message.call(text, "/", "a.b", "C") }
    #expect(throws: DBusError.self) { try Message.call("a.b", "/", text, "C") }
    #expect(throws: DBusError.self) { try Message.signal("/", "a.b", text) }
  }
}
