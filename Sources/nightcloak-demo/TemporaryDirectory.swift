// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A directory for one run, which only its owner can look into.
struct TemporaryDirectory {
  let path: String

  /// - Throws: ``DemoFailure`` when there can be none.
  init() throws {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/nightcloak-demo-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw DemoFailure("no directory can be made in \(parent): \(String(cString: strerror(errno)))")
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Opens a file for text at its end; the descriptor is the caller's.
  func append(_ name: String) throws -> Int32 {
    let file = open("\(path)/\(name)", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw DemoFailure("\(path)/\(name) cannot be written") }
    return file
  }

  /// Writes a file that there is not yet.
  /// - Returns: its path.
  func write(_ name: String, _ text: String) throws -> String {
    let file = try append(name)
    defer { close(file) }
    let count = text.withCString { Glibc.write(file, $0, strlen($0)) }
    guard count == text.utf8.count else { throw DemoFailure("\(path)/\(name) cannot be written") }
    return "\(path)/\(name)"
  }

  /// Removes it with everything in it. What cannot be removed stays; the rest goes.
  func remove() { Self.remove(path) }

  private static func remove(_ path: String) {
    // Links are removed, not followed.
    guard unlink(path) != 0, let directory = opendir(path) else { return }
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        tuple.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: tuple.pointee)) {
          String(cString: $0)
        }
      }
      if name != ".", name != ".." { remove("\(path)/\(name)") }
    }
    closedir(directory)
    rmdir(path)
  }
}
