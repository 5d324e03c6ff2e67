// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Tells the service manager how we are (sd_notify(3)): a datagram to `$NOTIFY_SOCKET`, nothing where there is none.
@LoopActor
public enum ServiceManager {
  /// Sends one state, as `READY=1` or `STATUS=…`.
  public static func notify(_ state: String) {
    guard let path = getenv("NOTIFY_SOCKET") else { return }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let length = strlen(path)
    guard length > 0, length < MemoryLayout.size(ofValue: address.sun_path) else { return }
    withUnsafeMutableBytes(of: &address.sun_path) { bytes in
      bytes.copyMemory(from: UnsafeRawBufferPointer(start: path, count: length))
      if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }  // an abstract socket
    }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let size = socklen_t(MemoryLayout<sa_family_t>.size + length)
    _ = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        state.utf8.withContiguousStorageIfAvailable { bytes in
          sendto(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL), address, size)
        }
      }
    }
  }

  /// Starts answering the service manager's watchdog, twice per `$WATCHDOG_USEC`, for as long as the loop turns.
  public static func startWatchdog() {
    guard let text = getenv("WATCHDOG_USEC"), let interval = Int64(String(cString: text)), interval > 0 else { return }
    func tick() {
      notify("WATCHDOG=1")
      _ = EventLoop.shared.time.schedule(after: .microseconds(interval / 2), tick)
    }
    tick()
  }
}
