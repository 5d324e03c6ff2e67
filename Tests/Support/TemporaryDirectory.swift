// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A directory for the files of one test, which goes with it.
public final class TemporaryDirectory {
  /// Its absolute path. Others may enter it: a bus in it is for other users, too.
  public let path: String

  /// Makes one.
  public init() throws {
    var template = Array("/tmp/nightcloak-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw WitnessError("mkdtemp: \(String(cString: strerror(errno)))") }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    chmod(path, 0o755)
  }

  deinit { remove() }

  /// Removes it now.
  func remove() { TemporaryDirectory.remove(path) }

  /// The path of a file in it.
  public func file(_ name: String) -> String { "\(path)/\(name)" }

  private static func remove(_ path: String) {
    if let directory = opendir(path) {
      while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        guard name != ".", name != ".." else { continue }
        let child = "\(path)/\(name)"
        if entry.pointee.d_type == UInt8(DT_DIR) { remove(child) } else { unlink(child) }
      }
      closedir(directory)
    }
    rmdir(path)
  }
}

/// The content of a file, as much as is text; empty when there is none.
public func readFile(_ path: String) -> String {
  guard let file = fopen(path, "re") else { return "" }
  defer { fclose(file) }
  var content: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 65_536)
  while true {
    let count = fread(&buffer, 1, buffer.count, file)
    guard count > 0 else { break }
    content += buffer.prefix(count)
  }
  return String(decoding: content, as: UTF8.self)
}

/// Writes a file anew.
public func writeFile(_ path: String, _ content: String) throws { try write(content, to: path, mode: "we") }

/// Adds to the end of a file.
public func appendFile(_ path: String, _ content: String) throws { try write(content, to: path, mode: "ae") }

private func write(_ content: String, to path: String, mode: String) throws {
  guard let file = fopen(path, mode) else { throw WitnessError("\(path): \(String(cString: strerror(errno)))") }
  defer { fclose(file) }
  guard fputs(content, file) >= 0 else { throw WitnessError("\(path): cannot be written") }
}

/// Makes a directory, unless it is there.
func makeDirectory(_ path: String) { mkdir(path, 0o700) }
