// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A question to a DNS server, and how answers to it are written (RFC 1035 §4).
struct DNSMessage {
  let name: String
  let kind: UInt16
  private let id: [UInt8]
  private let question: [UInt8]

  /// Reads the first question of a message.
  init?(_ bytes: [UInt8]) {
    guard bytes.count > 16 else { return nil }
    var labels: [String] = []
    var index = 12
    while index < bytes.count, bytes[index] != 0 {
      let end = index + 1 + Int(bytes[index])
      guard end < bytes.count else { return nil }
      labels.append(String(decoding: bytes[(index + 1)..<end], as: UTF8.self))
      index = end
    }
    guard index + 5 <= bytes.count else { return nil }
    id = Array(bytes[..<2])
    name = labels.joined(separator: ".").lowercased()
    kind = UInt16(bytes[index + 1]) << 8 | UInt16(bytes[index + 2])
    question = Array(bytes[12..<(index + 5)])
  }

  static func two(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)] }

  /// The answer; nil for none.
  /// - Parameter most: more bytes are cut, and said to be.
  func answer(_ answer: DNSStub.Answer, most: Int) -> [UInt8]? {
    switch answer {
    case .silence: return nil
    case .garbage(let withID): return (withID ? id : [id[0] ^ 0xff, id[1]]) + [UInt8](repeating: 0xc0, count: 40)
    case .noSuchName: return message(code: 3)
    case .serverFailure: return message(code: 2)
    case .refused: return message(code: 5)
    case .records(let bytes, let count): return message(count: count, bytes)
    case .services(let services):
      return cut(
        services.map { service in
          record(
            Self.two(service.priority) + Self.two(service.weight) + Self.two(service.port) + encoded(service.host))
        }, most)
    case .addresses(let addresses): return cut(addresses.map { record(numeric($0)) }, most)
    }
  }

  private func cut(_ records: [[UInt8]], _ most: Int) -> [UInt8] {
    let whole = message(count: UInt16(records.count), records.flatMap { $0 })
    return whole.count <= most ? whole : message(isCut: true)
  }

  private func message(code: UInt8 = 0, isCut: Bool = false, count: UInt16 = 0, _ records: [UInt8] = []) -> [UInt8] {
    // An answer, to a question that asked for recursion, which is available.
    id + [isCut ? 0x83 : 0x81, 0x80 | code] + Self.two(1) + Self.two(count) + Self.two(0) + Self.two(0) + question
      + records
  }

  private func record(_ data: [UInt8]) -> [UInt8] {
    // The name is where the question has it; class Internet; for a minute.
    [0xc0, 12] + Self.two(kind) + Self.two(1) + [0, 0, 0, 60] + Self.two(UInt16(data.count)) + data
  }

  private func encoded(_ name: String) -> [UInt8] {
    name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
  }

  private func numeric(_ address: String) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: kind == DNSStub.Kind.aaaa.rawValue ? 16 : 4)
    let family = bytes.count == 16 ? AF_INET6 : AF_INET
    return inet_pton(family, address, &bytes) == 1 ? bytes : []
  }
}
