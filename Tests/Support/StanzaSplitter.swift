// SPDX-License-Identifier: Apache-2.0

/// Cuts what a server sends into the header of the stream and stanzas, each with all of its bytes.
struct StanzaSplitter {
  enum Piece: Equatable {
    case header(String)
    case stanza(String)
    case end
  }

  private var buffer: [UInt8] = []
  private var at = 0
  private var depth = 0

  mutating func feed(_ bytes: some Sequence<UInt8>) -> [Piece] {
    buffer += bytes
    var pieces: [Piece] = []
    while let tag = nextTag() {
      if tag.first == UInt8(ascii: "?") || tag.first == UInt8(ascii: "!") {
        if depth <= 1 { cut() }
        continue
      }
      if tag.first == UInt8(ascii: "/") {
        depth -= 1
        if depth == 0 {
          pieces.append(.end)
          cut()
          continue
        }
      } else if depth == 0 {
        depth = 1
        pieces.append(.header(cut()))
        continue
      } else if tag.last != UInt8(ascii: "/") {
        depth += 1
      }
      if depth == 1 { pieces.append(.stanza(cut())) }
    }
    return pieces
  }

  /// What was received but makes no whole stanza yet.
  var rest: String { String(decoding: buffer, as: UTF8.self) }

  @discardableResult private mutating func cut() -> String {
    let piece = String(decoding: buffer[..<at], as: UTF8.self)
    buffer.removeSubrange(..<at)
    at = 0
    return piece
  }

  private mutating func nextTag() -> ArraySlice<UInt8>? {
    guard let open = buffer[at...].firstIndex(of: UInt8(ascii: "<")) else { return nil }
    var quote: UInt8?
    for index in buffer.indices[(open + 1)...] {
      let byte = buffer[index]
      if let opening = quote {
        if byte == opening { quote = nil }
      } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
        quote = byte
      } else if byte == UInt8(ascii: ">") {
        at = index + 1
        return buffer[(open + 1)..<index]
      }
    }
    return nil
  }
}
