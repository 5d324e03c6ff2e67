// SPDX-License-Identifier: Apache-2.0

/// Bytes that wait to be sent, up to a limit.
struct WriteQueue {
  let limit: Int
  private var bytes: [UInt8] = []
  private var sent = 0

  init(limit: Int) { self.limit = limit }

  var isEmpty: Bool { sent == bytes.count }

  /// Adds `more`; false where that is too much.
  mutating func append(_ more: [UInt8]) -> Bool {
    guard bytes.count - sent + more.count <= limit else { return false }
    if isEmpty {
      bytes = more
      sent = 0
    } else {
      bytes += more
    }
    return true
  }

  func withNext<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[sent...])) }
  }

  /// Forgets the first `count` bytes. What is sent is taken out rarely: moving the rest costs more than the room.
  mutating func remove(_ count: Int) {
    sent += count
    if isEmpty {
      removeAll()
    } else if sent >= 64 * 1024, sent >= bytes.count / 2 {
      bytes.removeFirst(sent)
      sent = 0
    }
  }

  mutating func removeAll() {
    bytes = []
    sent = 0
  }
}
