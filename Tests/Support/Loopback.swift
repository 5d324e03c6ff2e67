// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Listens on a free port of loopback, without blocking.
/// - Parameter waiting: how many connections may wait to be taken.
public func listenOnLoopback(waiting: Int32) -> (descriptor: Int32, port: UInt16) {
  let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
  let descriptor = socket(AF_INET, type, 0)
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
  var size = socklen_t(MemoryLayout<sockaddr_in>.size)
  withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      _ = bind(descriptor, $0, size)
      _ = listen(descriptor, waiting)
      _ = getsockname(descriptor, $0, &size)
    }
  }
  return (descriptor, UInt16(bigEndian: address.sin_port))
}
