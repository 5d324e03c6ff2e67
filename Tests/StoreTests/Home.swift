// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Glibc
import Support

@testable import Store

let juliet = AccountKey(uid: 1000, jid: "juliet@example.org", protocol: "xmpp")

/// A state directory that goes with the test.
final class Home {
  let temporary: TemporaryDirectory
  var path: String { temporary.file("state") }

  init() throws { temporary = try TemporaryDirectory() }

  @LoopActor func open() async throws(StoreError) -> Store { try await Store.open(directory: path) }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  /// A file's permissions and kind; 0 if there is none.
  func mode(_ name: String = "") -> UInt32 {
    var status = stat()
    return lstat(file(name), &status) == 0 ? status.st_mode : 0
  }

  /// A file's bytes; nil if there is none.
  func bytes(_ name: String) -> [UInt8]? {
    guard let stream = fopen(file(name), "re") else { return nil }
    defer { fclose(stream) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&piece, 1, piece.count, stream), count > 0 { bytes += piece.prefix(count) }
    return bytes
  }

  /// Writes a file anew.
  func write(_ name: String, _ bytes: [UInt8]) throws {
    guard let stream = fopen(file(name), "we") else { throw WitnessError("\(file(name)) cannot be written") }
    defer { fclose(stream) }
    fwrite(bytes, 1, bytes.count, stream)
  }

  /// Whether any file of the store has this text in it.
  func contains(_ text: String, in names: [String] = ["state.db", "state.db-wal", "cache.db", "cache.db-wal"]) -> Bool {
    let wanted = Array(text.utf8)
    return names.contains { name in
      guard let bytes = bytes(name) else { return false }
      return bytes.withUnsafeBytes { bytes in
        var rest = bytes[...]
        while let start = UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count >= wanted.count,
          let found = memchr(start, Int32(wanted[0]), rest.count)
        {
          rest = rest[(rest.startIndex + (UnsafeRawPointer(found) - start))...]
          if rest.count >= wanted.count, memcmp(found, wanted, wanted.count) == 0 { return true }
          rest = rest.dropFirst()
        }
        return false
      }
    }
  }
}

/// The error that `body` throws, nil if it throws none.
@LoopActor
func failure(_ body: @LoopActor () async throws(StoreError) -> Void) async -> StoreError? {
  do throws(StoreError) {
    try await body()
    return nil
  } catch {
    return error
  }
}

func contact(_ number: Int, name: String = "") -> StoredContact {
  StoredContact(jid: "contact\(100_000 + number)@example.org", name: name, groups: ["Friends"], subscription: "both")
}

/// A large roster. Made off the loop, which other tests use at the same time.
@LoopActor
func contacts(_ count: Int) async -> [StoredContact] { await offLoop { (0..<count).map { contact($0) } } }
