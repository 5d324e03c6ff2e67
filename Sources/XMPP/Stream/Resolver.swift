// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import Glibc
internal import TLS

/// Finds where a host listens.
enum Resolver {
  /// More addresses of one host are not tried.
  static let mostAddresses = 8

  /// The addresses of `host`, in the order in which they should be tried.
  /// - Throws: ``StreamEnd`` with the code `network` when there are none.
  static func addresses(of host: String, port: UInt16) async throws(StreamEnd) -> [SocketAddress] {
    let isLiteral = host.utf8.first == UInt8(ascii: "[") && host.utf8.last == UInt8(ascii: "]")
    if let numeric = SocketAddress(isLiteral ? String(host.dropFirst().dropLast()) : host, port: port) {
      return [numeric]
    }
    guard let name = InternationalName.ascii(host) else {
      throw StreamEnd(.network, "\"\(host)\" is not the name of a host: check the parameter server.")
    }
    let (addresses, problem) = await offLoop { lookUp(name, port) }
    guard addresses.isEmpty else { return addresses }
    throw StreamEnd(
      .network,
      "The address of \(host) cannot be found (\(problem)): check the network and the account, or set the parameter "
        + "server.")
  }

  private static func lookUp(_ name: String, _ port: UInt16) -> ([SocketAddress], problem: String) {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    let failure = getaddrinfo(name, String(port), &hints, &list)
    guard failure == 0 else { return ([], String(cString: gai_strerror(failure))) }
    defer { freeaddrinfo(list) }
    var addresses: [SocketAddress] = []
    var next = list
    while let entry = next, addresses.count < mostAddresses {
      let bytes = UnsafeRawBufferPointer(start: entry.pointee.ai_addr, count: Int(entry.pointee.ai_addrlen))
      if let address = SocketAddress(socketAddress: bytes) { addresses.append(address) }
      next = entry.pointee.ai_next
    }
    return (addresses, "it has none")
  }
}
