// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A connection to a bus made of a socket and bytes, of any user, that keeps every message it receives.
public final class RawBus {
  /// An error that a call was answered with.
  public struct Refusal: Error, CustomStringConvertible {
    /// The error's name.
    public let name: String
    /// Its text.
    public let text: String
    /// Describes one.
    public init(name: String, text: String) {
      self.name = name
      self.text = text
    }

    /// Both.
    public var description: String { "\(name): \(text)" }
  }

  /// A call that is not yet answered.
  public struct Pending: Sendable { let serial: UInt32, what: String }

  /// Who it is: its unique name.
  public private(set) var name = ""
  /// Everything that came, but for replies to its own calls.
  public private(set) var received: [BusMessage] = []
  /// How much of `received` ``expect(_:within:where:)`` has passed.
  public private(set) var mark = 0
  /// Whether the bus has closed the connection.
  public private(set) var isClosed = false

  private let socket: Socket
  private var buffer: [UInt8] = []
  private var replies: [UInt32: BusMessage] = [:]
  private var serial: UInt32 = 0

  /// Connects to the bus at `address` ("unix:path=…"), as another user when one is given. Root alone can be somebody
  /// else; for others that is a connection without a user.
  public init(address: String, user: UInt32? = nil) throws {
    let prefix = "unix:path="
    guard address.hasPrefix(prefix) else { throw WitnessError("the address \(address) is not of a Unix socket") }
    let isRoot = getuid() == 0
    socket = try Socket(path: String(address.dropFirst(prefix.count).prefix { $0 != "," }), user: isRoot ? user : nil)
    let identity = String(user ?? getuid()).utf8.map { String($0, radix: 16) }.joined()
    let mechanism = isRoot || user == nil ? "EXTERNAL \(identity)" : "ANONYMOUS"
    try socket.send([0] + Array("AUTH \(mechanism)\r\n".utf8))
    let line = try authenticationLine()
    guard line.hasPrefix("OK ") else { throw WitnessError("the bus does not let us in: \(line)") }
    try socket.send(Array("BEGIN\r\n".utf8))
    name = try callBus("Hello").first?.text ?? ""
  }

  // MARK: Calls

  /// Calls a method and waits for the answer.
  /// - Throws: ``Refusal`` when that is an error.
  @discardableResult
  public func call(
    _ destination: String, _ path: String, _ interface: String, _ member: String, _ arguments: [BusValue] = [],
    within: Duration = .seconds(25)
  ) throws -> [BusValue] {
    try finish(begin(destination, path, interface, member, arguments), within: within)
  }

  /// Calls a method of the bus itself.
  @discardableResult
  public func callBus(_ member: String, _ arguments: [BusValue] = []) throws -> [BusValue] {
    try call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", member, arguments)
  }

  /// Calls a method without waiting.
  public func begin(
    _ destination: String, _ path: String, _ interface: String, _ member: String, _ arguments: [BusValue] = []
  ) throws -> Pending {
    serial += 1
    let fields: [(UInt8, BusValue)] = [
      (1, .path(path)), (2, .string(interface)), (3, .string(member)), (6, .string(destination)),
    ]
    try socket.send(BusMessage.bytes(type: 1, serial: serial, fields: fields, arguments: arguments))
    return Pending(serial: serial, what: "\(interface).\(member) of \(path)")
  }

  /// Waits for the answer of a call.
  public func finish(_ call: Pending, within: Duration = .seconds(25)) throws -> [BusValue] {
    let reply = try message(answering: call, within: within)
    guard reply.type == 2 else { throw Refusal(name: reply.error, text: reply.arguments.first?.text ?? "") }
    return reply.arguments
  }

  /// The answer of a call, be it an error, with all of its bytes.
  public func message(answering call: Pending, within: Duration = .seconds(25)) throws -> BusMessage {
    let deadline = Deadline(within)
    while true {
      if let reply = replies.removeValue(forKey: call.serial) { return reply }
      guard !isClosed, !deadline.hasPassed else {
        throw WitnessError("\(call.what) was not answered\(isClosed ? ": the bus closed the connection" : "")")
      }
      try receive(before: deadline)
    }
  }

  /// Whether the answer of a call has come.
  public func isAnswered(_ call: Pending) throws -> Bool {
    try receive(before: Deadline(.zero))
    return replies[call.serial] != nil
  }

  // MARK: Signals

  /// Emits a signal to everybody.
  public func emit(_ path: String, _ interface: String, _ member: String, _ arguments: [BusValue]) throws {
    serial += 1
    let fields: [(UInt8, BusValue)] = [(1, .path(path)), (2, .string(interface)), (3, .string(member))]
    try socket.send(BusMessage.bytes(type: 4, serial: serial, fields: fields, arguments: arguments))
  }

  /// Waits for a message later than those already expected, and passes it.
  @discardableResult
  public func expect(
    _ what: String, within: Duration = .seconds(10), where matches: (BusMessage) -> Bool
  ) throws -> BusMessage {
    let deadline = Deadline(within)
    var next = mark
    while true {
      while next < received.count {
        defer { next += 1 }
        if matches(received[next]) {
          mark = next + 1
          return received[next]
        }
      }
      guard !isClosed, !deadline.hasPassed else {
        let since = received.dropFirst(mark).map(\.description).joined(separator: "\n  ")
        throw WitnessError("\(name) waited for \(what) on the bus in vain; came:\n  \(since)")
      }
      try receive(before: deadline)
    }
  }

  /// Waits until what has come makes something so.
  public func wait(for what: String, within: Duration = .seconds(10), until holds: () -> Bool) throws {
    let deadline = Deadline(within)
    while !holds() {
      guard !isClosed, !deadline.hasPassed else { throw WitnessError("\(name) waited for \(what) in vain") }
      try receive(before: deadline)
    }
  }

  /// Waits for a signal of this member.
  @discardableResult
  public func expectSignal(_ member: String, within: Duration = .seconds(10)) throws -> BusMessage {
    try expect("the signal \(member)", within: within) { $0.type == 4 && $0.member == member }
  }

  /// A round trip to the bus: what was routed to us before has come when this returns.
  public func ping() throws { try callBus("GetId") }

  /// What has come since ``expect(_:within:where:)`` passed something.
  public var unexpected: [BusMessage] { Array(received.dropFirst(mark)) }

  /// Takes note of everything received up to now.
  public func passAll() { mark = received.count }

  /// Forgets everything received up to now.
  public func forget() {
    received = []
    mark = 0
  }

  /// Waits until the bus closes the connection.
  public func waitForEnd(within: Duration) throws {
    let deadline = Deadline(within)
    while !isClosed {
      guard !deadline.hasPassed else { throw WitnessError("the bus does not close the connection") }
      try receive(before: deadline)
    }
  }

  private func receive(before deadline: Deadline) throws {
    guard let bytes = socket.receive(before: deadline) else { return }
    guard !bytes.isEmpty else {
      isClosed = true
      return
    }
    buffer += bytes
    while let message = try BusMessage.take(from: &buffer) {
      if message.type == 2 || message.type == 3 {
        replies[message.replySerial] = message
      } else {
        received.append(message)
      }
    }
  }

  private func authenticationLine() throws -> String {
    let deadline = Deadline(.seconds(5))
    while true {
      if let end = buffer.firstIndex(of: 10) {
        let line = String(decoding: buffer[..<end], as: UTF8.self)
        buffer.removeSubrange(...end)
        return line
      }
      guard let bytes = socket.receive(before: deadline), !bytes.isEmpty else {
        throw WitnessError("the bus says nothing to the authentication")
      }
      buffer += bytes
    }
  }
}
