// SPDX-License-Identifier: Apache-2.0

internal import Network
internal import TLS

extension ComponentConfiguration {
  /// The server, as the network is to look for it. The port is always said: no SRV records tell of components.
  /// - Throws: ``StreamEnd`` with the code `network` for what is no name of a host.
  func wantedServer() throws(StreamEnd) -> WantedServer {
    let name = try WantedServer.name(serverName)
    return WantedServer(
      domain: name, server: name, port: port ?? Self.defaultPort, protection: tls == .off ? .none : .directTLS)
  }

  /// Whether a connection to `address` is to be protected.
  func wantsTLS(to address: SocketAddress) -> Bool {
    switch tls {
    case .direct: true
    case .off: false
    case nil: !address.isLoopback
    }
  }

  /// Which certificates count.
  var trust: TrustSettings { TrustSettings(caFile: caFile, fingerprint: fingerprint) }

  /// The name that the server's certificate must have: that of the host, since whoever named it is the only one who knows
  /// whose component we are (RFC 6125 §6.2.1); or that of the domain's parent. What DNS says does not count.
  var certificateName: String {
    if serverName.utf8.first == UInt8(ascii: "[") { return String(serverName.dropFirst().dropLast()) }
    return InternationalName.ascii(serverName) ?? serverName
  }
}
