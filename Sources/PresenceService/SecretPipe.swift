// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import DBus
internal import EventLoop
internal import Glibc

/// Reads a secret from a descriptor that a caller passed, so that the secret itself never goes over the bus.
@LoopActor
enum SecretPipe {
  static let mostBytes = 4096
  static let limit = Duration.seconds(5)

  /// Reads a password to the end, without blocking the loop; a line feed at the end is left out.
  /// - Throws: ``DBusError`` when there is too much, or no end in time.
  static func read(_ descriptor: UnixFD, within limit: Duration = limit) async throws -> String {
    var bytes = try await bytes(of: descriptor, "password-fd", atMost: mostBytes, within: limit)
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw DBusError(.invalidArgs, "\"password-fd\" holds bytes that are not UTF-8.")
    }
    return text
  }

  /// Reads to the end, without blocking the loop.
  /// - Parameter key: what the descriptor is called in errors.
  /// - Throws: ``DBusError`` when there is too much, or no end in time.
  static func bytes(
    of descriptor: UnixFD, _ key: String, atMost mostBytes: Int, within limit: Duration = limit
  ) async throws -> [UInt8] {
    let fd = descriptor.descriptor
    // Reading a file may take as long as whoever serves its file system likes.
    var status = stat()
    guard fstat(fd, &status) == 0, [S_IFIFO, S_IFSOCK].contains(status.st_mode & S_IFMT) else {
      throw DBusError(.invalidArgs, "\"\(key)\" must be a pipe or a socket.")
    }
    var bytes: [UInt8] = []
    let deadline = EventLoop.shared.time.now + limit
    while true {
      var buffer = [UInt8](repeating: 0, count: mostBytes)
      let count = linux_read_now(fd, &buffer, buffer.count)
      if count == 0 { break }
      if count > 0 {
        bytes += buffer.prefix(count)
        guard bytes.count <= mostBytes else {
          throw DBusError(.limitsExceeded, "\"\(key)\" holds more than \(mostBytes) bytes.")
        }
      } else if errno == EAGAIN {
        guard await isReadable(fd, until: deadline) else {
          throw DBusError(
            .ours("TimedOut"),
            "\"\(key)\" did not end within \(limit.components.seconds) seconds: write all of it and close it.")
        }
      } else if errno != EINTR {
        throw DBusError(.invalidArgs, "\"\(key)\" cannot be read.")
      }
    }
    return bytes
  }

  private static func isReadable(_ fd: Int32, until deadline: MonotonicTime) async -> Bool {
    let time = EventLoop.shared.time
    return await withCheckedContinuation { continuation in
      let timer = time.schedule(after: deadline - time.now) {
        EventLoop.shared.unwatch(fd)
        continuation.resume(returning: false)
      }
      EventLoop.shared.watch(fd, for: .read) { _ in
        EventLoop.shared.unwatch(fd)
        time.cancel(timer)
        continuation.resume(returning: true)
      }
    }
  }
}
