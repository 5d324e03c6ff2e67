// SPDX-License-Identifier: Apache-2.0

internal import CWitness
internal import Glibc

/// A connected stream socket that blocks, with deadlines.
final class Socket {
  private let descriptor: Int32

  /// Connects to a port of 127.0.0.1.
  convenience init(port: UInt16) throws {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    try self.init(AF_INET, &address, "port \(port)")
    var yes: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
  }

  /// Connects to a socket in the file system, as `user` when one is given: the peer is told who connected.
  convenience init(path: String, user: UInt32?) throws {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { throw WitnessError("\(path) is too long") }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    if let user, witness_thread_euid(user) != 0 { throw WitnessError("cannot become user \(user)") }
    defer { if user != nil { _ = witness_thread_euid(getuid()) } }
    try self.init(AF_UNIX, &address, path)
  }

  private init<Address>(_ family: Int32, _ address: inout Address, _ what: String) throws {
    descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
      }
    }
    guard result == 0 else { throw WitnessError("connecting to \(what): \(String(cString: strerror(errno)))") }
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw WitnessError("sending: \(String(cString: strerror(errno)))") }
      sent += count
    }
  }

  /// What has come, at once when there is something.
  /// - Returns: nil at the deadline; nothing when the other side has closed.
  func receive(before deadline: Deadline) -> [UInt8]? {
    var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&watched, 1, deadline.milliseconds) > 0 else { return nil }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    return Array(buffer.prefix(max(0, count)))
  }

  /// Resets the connection, as when a cable is cut.
  func abort() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    shutdown(descriptor, Int32(SHUT_RDWR))
  }
}

/// Lets this process have as many descriptors; a shell gives it 1024.
public func allowManyDescriptors(_ count: Int) throws {
  var limit = rlimit()
  getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  guard limit.rlim_cur < UInt(count) else { return }
  guard limit.rlim_max >= UInt(count) else {
    throw WitnessError("no more than \(limit.rlim_max) descriptors are allowed")
  }
  limit.rlim_cur = UInt(count)
  setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
