// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// Where a server listens: a numeric IPv4 or IPv6 address and a port.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
  /// The `sockaddr` that the kernel takes.
  let bytes: [UInt8]

  /// Parses an address as people write it (`127.0.0.1`, `::1`, `fe80::1%eth0`); `nil` for anything else, also for
  /// a name: names are looked up elsewhere, off the loop.
  public init?(_ numericHost: String, port: UInt16) {
    // A C function would read only up to a NUL.
    guard !numericHost.utf8.contains(0) else { return nil }
    var hints = addrinfo()
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    // With both flags this neither waits nor asks anybody.
    guard getaddrinfo(numericHost, String(port), &hints, &list) == 0, let first = list else { return nil }
    defer { freeaddrinfo(list) }
    self.init(
      socketAddress: UnsafeRawBufferPointer(start: first.pointee.ai_addr, count: Int(first.pointee.ai_addrlen)))
  }

  /// As ``init(_:port:)``, where anything else is somebody's mistake.
  /// - Throws: ``TransportError`` that names what was given.
  public init(numeric host: String, port: UInt16) throws(TransportError) {
    guard let address = SocketAddress(host, port: port) else {
      throw TransportError(.network, "'\(host)' is not a numeric address")
    }
    self = address
  }

  /// Copies a `sockaddr_in` or `sockaddr_in6`, as getaddrinfo(3) gives them; `nil` for another family.
  public init?(socketAddress: UnsafeRawBufferPointer) {
    guard socketAddress.count >= MemoryLayout<sa_family_t>.size else { return nil }
    switch Int32(socketAddress.loadUnaligned(as: sa_family_t.self)) {
    case AF_INET where socketAddress.count >= MemoryLayout<sockaddr_in>.size:
      bytes = Array(socketAddress.prefix(MemoryLayout<sockaddr_in>.size))
    case AF_INET6 where socketAddress.count >= MemoryLayout<sockaddr_in6>.size:
      bytes = Array(socketAddress.prefix(MemoryLayout<sockaddr_in6>.size))
    default: return nil
    }
  }

  var family: Int32 { bytes.withUnsafeBytes { Int32($0.loadUnaligned(as: sa_family_t.self)) } }

  /// The port.
  public var port: UInt16 { UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }

  /// Whether it is an IPv6 address; an IPv4 address otherwise.
  public var isIPv6: Bool { family == AF_INET6 }

  /// Whether the other end is this machine.
  public var isLoopback: Bool {
    if family == AF_INET { return bytes[4] == 127 }
    let address = bytes[8..<24]
    let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127]
    return address.elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]) || address.starts(with: mapped)
  }

  /// `127.0.0.1:5222`, `[::1]:5222`.
  public var description: String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    _ = bytes.withUnsafeBytes { bytes in
      inet_ntop(family, bytes.baseAddress?.advanced(by: family == AF_INET ? 4 : 8), &text, socklen_t(text.count))
    }
    let host = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return family == AF_INET ? "\(host):\(port)" : "[\(host)]:\(port)"
  }

  func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result? {
    // Copied: an array of bytes is not aligned for a sockaddr.
    var storage = sockaddr_storage()
    withUnsafeMutableBytes(of: &storage) { $0.copyBytes(from: bytes) }
    return withUnsafePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(bytes.count)) }
    }
  }
}
