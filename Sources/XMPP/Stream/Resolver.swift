// SPDX-License-Identifier: Apache-2.0

internal import Network
internal import TLS

/// From what is known about an account to what is asked of the network.
enum Resolver {
  /// The server to look for.
  /// - Parameter location: where the server wants to be reached (XEP-0198 §3).
  /// - Throws: ``StreamEnd`` with the code `network` for what is no name of a host.
  static func server(
    for configuration: ClientConfiguration, location: String? = nil
  ) throws(StreamEnd) -> WantedServer {
    let protection: WantedServer.Protection =
      switch configuration.tls {
      case nil: .any
      case .starttls: .startTLS
      case .direct: .directTLS
      case .off: .none
      }
    let domain = try name(configuration.account.domain)
    let server = try configuration.server.map { host throws(StreamEnd) in try name(host) }
    // Whoever names a server means that one, and may have reasons: a tunnel, for one.
    let preferred = server == nil ? location.flatMap { HostAndPort($0) } : nil
    return WantedServer(
      domain: domain, server: server, port: configuration.port, protection: protection, preferred: preferred)
  }

  /// The name that the server's certificate must have: that of the account's domain, wherever we connect to
  /// (RFC 6120 §13.7.2.1). Whoever can change the parameter or DNS could else lead us to their own server.
  static func certificateName(of domain: String) -> String {
    if domain.utf8.first == UInt8(ascii: "[") { return String(domain.dropFirst().dropLast()) }
    return InternationalName.ascii(domain) ?? domain
  }

  /// What DNS can be asked about; or a numeric address, without brackets.
  private static func name(_ host: String) throws(StreamEnd) -> String {
    let isLiteral = host.utf8.first == UInt8(ascii: "[") && host.utf8.last == UInt8(ascii: "]")
    let bare = isLiteral ? String(host.dropFirst().dropLast()) : host
    if SocketAddress(bare, port: 0) != nil { return bare }
    if let name = InternationalName.ascii(host), HostAndPort(name)?.host == name { return name }
    throw StreamEnd(.network, "\"\(host)\" is not the name of a host: check the parameter server.", isFinal: true)
  }
}
