// SPDX-License-Identifier: Apache-2.0

/// Which server is wanted, and how it may be connected to.
public struct WantedServer: Hashable, Sendable {
  /// How the connection may be protected.
  public enum Protection: Hashable, Sendable {
    /// With STARTTLS or with TLS from the first byte, as the domain offers it.
    case any
    /// With STARTTLS.
    case startTLS
    /// With TLS from the first byte.
    case directTLS
    /// Not at all. Only this machine is connected to then.
    case none
  }

  /// The domain of the account, in ASCII; or a numeric address, without brackets.
  public var domain: String
  /// The host to connect to instead of what the domain's SRV records say, in ASCII; or a numeric address, without
  /// brackets.
  public var server: String?
  /// The port to connect to. SRV records are not asked for then: they say both.
  public var port: UInt16?
  /// How the connection may be protected.
  public var protection: Protection
  /// A place to try before all others: where the server wants to be reached for an earlier session (XEP-0198 §3).
  public var preferred: HostAndPort?

  /// Describes the server of a domain.
  public init(
    domain: String, server: String? = nil, port: UInt16? = nil, protection: Protection = .any,
    preferred: HostAndPort? = nil
  ) {
    self.domain = domain
    self.server = server
    self.port = port
    self.protection = protection
    self.preferred = preferred
  }
}
