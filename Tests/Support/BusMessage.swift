// SPDX-License-Identifier: Apache-2.0

/// A message as it came from the bus.
public struct BusMessage: Sendable {
  /// 1 call, 2 reply, 3 error, 4 signal.
  public let type: UInt8
  /// Who sent it: a unique name.
  public let sender: String
  /// To whom, "" for everybody.
  public let destination: String
  /// The object.
  public let path: String
  /// The interface.
  public let interface: String
  /// The member.
  public let member: String
  /// The name of an error.
  public let error: String
  /// What it answers.
  public let replySerial: UInt32
  /// Its arguments.
  public let arguments: [BusValue]
  /// All of its bytes.
  public let bytes: [UInt8]

  /// The bytes of its arguments.
  public let body: [UInt8]

  /// Takes a message from the front of `buffer` when it is whole.
  static func take(from buffer: inout [UInt8]) throws -> BusMessage? {
    guard buffer.count >= 16 else { return nil }
    guard buffer[0] == UInt8(ascii: "l") else { throw WitnessError("a D-Bus message that is not little-endian") }
    var reader = BusReader(buffer)
    reader.at = 4
    let bodyLength = Int(try reader.integer(UInt32.self))
    reader.at = 12
    let fieldsLength = Int(try reader.integer(UInt32.self))
    let bodyStart = (16 + fieldsLength + 7) / 8 * 8
    guard buffer.count >= bodyStart + bodyLength else { return nil }
    reader.at = 12
    let fields = try reader.values("a(yv)").first?.list ?? []
    func field(_ code: Int) -> BusValue? { fields.first { $0.list.first?.number == code }?.list.last }
    let body = Array(buffer[bodyStart..<bodyStart + bodyLength])
    var bodyReader = BusReader(body)
    let message = BusMessage(
      type: buffer[1], sender: field(7)?.text ?? "", destination: field(6)?.text ?? "", path: field(1)?.text ?? "",
      interface: field(2)?.text ?? "", member: field(3)?.text ?? "", error: field(4)?.text ?? "",
      replySerial: UInt32(field(5)?.number ?? 0), arguments: try bodyReader.values(field(8)?.text ?? ""),
      bytes: Array(buffer[..<(bodyStart + bodyLength)]), body: body)
    buffer.removeSubrange(..<(bodyStart + bodyLength))
    return message
  }

  /// The bytes of a message to send.
  static func bytes(type: UInt8, serial: UInt32, fields: [(UInt8, BusValue)], arguments: [BusValue]) -> [UInt8] {
    var body = BusWriter()
    for argument in arguments { body.write(argument) }
    var message = BusWriter()
    message.bytes = [UInt8(ascii: "l"), type, 0, 1]
    message.integer(UInt32(body.bytes.count))
    message.integer(serial)
    let signature = arguments.map(\.type).joined()
    let all = fields + (signature.isEmpty ? [] : [(8, .signature(signature))])
    message.write(.array("(yv)", all.map { .structure([.byte($0.0), .variant($0.1)]) }))
    message.align(8)
    return message.bytes + body.bytes
  }
}

extension BusMessage: CustomStringConvertible {
  /// The message in one line.
  public var description: String {
    let kind = type == 4 ? "signal" : type == 3 ? "error \(error)" : type == 2 ? "reply" : "call"
    return "\(kind) \(interface).\(member) of \(path) from \(sender) to \(destination): \(arguments)"
  }
}
