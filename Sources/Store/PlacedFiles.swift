// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Files that are open, and where the next run of the program will look for them. What is written to a file that has no
/// name any more is as good as lost, though nothing says so.
struct PlacedFiles: Sendable {
  private struct Placed: Sendable {
    let path: String
    let device: UInt
    let inode: UInt
  }
  private var files: [Placed] = []

  /// Takes note of files that are open.
  /// - Throws: ``StoreError`` when one is not there.
  init(_ paths: [String]) throws(StoreError) {
    for path in paths {
      var status = stat()
      guard stat(path, &status) == 0 else { throw StoreError(errno, on: path, toDo: "found") }
      files.append(Placed(path: path, device: UInt(status.st_dev), inode: UInt(status.st_ino)))
    }
  }

  /// Throws where one is not in its place any more. By name alone: no descriptor of a database may be closed while it is
  /// open.
  func check() throws(StoreError) {
    for file in files {
      var status = stat()
      guard stat(file.path, &status) == 0, UInt(status.st_dev) == file.device, UInt(status.st_ino) == file.inode else {
        throw StoreError(
          .failed,
          "\(file.path) was removed or replaced while in use, so that what is decided now would be forgotten: put it "
            + "back, or start nightcloakd again.")
      }
    }
  }
}
