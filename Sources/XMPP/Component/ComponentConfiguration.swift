// SPDX-License-Identifier: Apache-2.0

internal import Network
internal import TLS

/// How to connect to a server as a component of it (XEP-0114): as a domain of one's own.
public struct ComponentConfiguration: Hashable, Sendable {
  /// How the connection is protected. There is no STARTTLS for components.
  public enum TLS: String, Hashable, Sendable, CaseIterable {
    /// TLS from the first byte.
    case direct
    /// None. Only to a server on this very machine.
    case off
  }

  /// The port that most servers take components on.
  public static let defaultPort: UInt16 = 5347

  /// The domain that we are, prepared.
  public let domain: String
  /// What the server knows us by.
  public var secret: String
  /// Where to connect to, a host name or a numeric address; the domain's parent where there is none.
  public var server: String?
  /// The port; ``defaultPort`` where there is none.
  public var port: UInt16?
  /// How the connection is protected. Where nothing is said, not at all to a server on this machine, and with TLS to every
  /// other.
  public var tls: TLS?
  /// A file of PEM certificates that are trusted instead of the system's.
  public var caFile: String?
  /// The SHA-256 hash of the one certificate that is accepted, in 64 lower-case hexadecimal digits. It takes the place of
  /// every other check.
  public var fingerprint: String?
  /// Whether others serve the same domain, so that what we ask may be answered to them.
  public var isBalanced: Bool

  /// Describes a component.
  /// - Parameter domain: the domain; a localpart does not count.
  public init(
    domain: BareJID, secret: String, server: String? = nil, port: UInt16? = nil, tls: TLS? = nil, caFile: String? = nil,
    isBalanced: Bool = false
  ) {
    self.domain = domain.domain
    self.secret = secret
    self.server = server
    self.port = port
    self.tls = tls
    self.caFile = caFile
    self.isBalanced = isBalanced
  }

  /// The host to connect to, for people too: the one that was named, or else the domain's parent.
  public var serverName: String { server ?? Self.parent(of: domain) }

  /// `shakespeare.lit` for `sip.shakespeare.lit`; what has no parent is its own.
  static func parent(of domain: String) -> String {
    guard let dot = domain.utf8.firstIndex(of: UInt8(ascii: ".")) else { return domain }
    return String(domain[domain.utf8.index(after: dot)...])
  }
}

extension ComponentConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The domain alone: a configuration that ends up in a log must not take the secret there.
  public var description: String { domain }
  /// As ``description``.
  public var debugDescription: String { description }
  /// Nothing: a dump would show the secret.
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}
