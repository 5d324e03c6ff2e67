// SPDX-License-Identifier: Apache-2.0

internal import Network
internal import TLS

extension WantedServer {
  /// The server of an account, as the network is to look for it.
  /// - Parameter location: where the server wants to be reached (XEP-0198 §3).
  /// - Throws: ``StreamEnd`` with the code `network` for what is no name of a host.
  init(of configuration: ClientConfiguration, location: String? = nil) throws(StreamEnd) {
    let protection: Protection =
      switch configuration.tls {
      case nil: .any
      case .starttls: .startTLS
      case .direct: .directTLS
      case .off: .none
      }
    let domain = try Self.name(configuration.account.domain)
    let server = try configuration.server.map { host throws(StreamEnd) in try Self.name(host) }
    // Whoever names a server means that one, and may have reasons: a tunnel, for one.
    let preferred = server == nil ? location.flatMap { HostAndPort($0) } : nil
    self.init(
      domain: domain, server: server, port: configuration.port, protection: protection, preferred: preferred)
  }

  /// What DNS can be asked about; or a numeric address, without brackets.
  static func name(_ host: String) throws(StreamEnd) -> String {
    let isLiteral = host.utf8.first == UInt8(ascii: "[") && host.utf8.last == UInt8(ascii: "]")
    let bare = isLiteral ? String(host.dropFirst().dropLast()) : host
    if SocketAddress(bare, port: 0) != nil { return bare }
    if let name = InternationalName.ascii(host), HostAndPort(name)?.host == name { return name }
    throw StreamEnd(.network, "\"\(host)\" is not the name of a host: check the parameter server.", isFinal: true)
  }
}
