// SPDX-License-Identifier: Apache-2.0

public import TLS

/// How to log in to an account.
public struct ClientConfiguration: Hashable, Sendable {
  /// How the connection is protected.
  public enum TLS: String, Hashable, Sendable, CaseIterable {
    /// TLS after a start in the clear (RFC 6120 §5). A server that does not offer it is not talked to.
    case starttls
    /// TLS from the first byte (XEP-0368).
    case direct
    /// None. Only to a server on this very machine.
    case off
  }

  /// The account; it has a localpart.
  public var account: BareJID
  /// The password; empty where a client certificate is all there is.
  public var password: String
  /// Where to connect to, a host name or a numeric address; the account's domain where there is none.
  public var server: String?
  /// The port; where there is none, that of the domain's SRV records, or 5222, or 5223 for ``TLS/direct``.
  public var port: UInt16?
  /// How the connection is protected. Where nothing is said, as the domain's SRV records offer it (XEP-0368), and with
  /// STARTTLS where there are none.
  public var tls: TLS?
  /// A file of PEM certificates that are trusted instead of the system's.
  public var caFile: String?
  /// The SHA-256 hash of the one certificate that is accepted, in 64 lower-case hexadecimal digits. It takes the place of
  /// every other check.
  public var fingerprint: String?
  /// A certificate of the account's to log in with (SASL EXTERNAL, XEP-0178).
  public var clientCertificate: ClientCertificate?
  /// The strongest way of logging in that has worked before, as in ``Security/mechanism``: a server that offers only
  /// weaker ones may be somebody else.
  public var leastMechanism: String?
  /// Whether a server is let in on less: ways of logging in that are weaker than ``leastMechanism``, or whose list
  /// somebody seems to have changed.
  public var acceptsWeakerLogin = false
  /// The resource to ask for; one that cannot be guessed where there is none.
  public var resource: String?

  /// Describes an account whose server is found by its domain, with STARTTLS and a random resource.
  public init(
    account: BareJID, password: String, server: String? = nil, port: UInt16? = nil, tls: TLS? = nil,
    caFile: String? = nil, resource: String? = nil
  ) {
    self.account = account
    self.password = password
    self.server = server
    self.port = port
    self.tls = tls
    self.caFile = caFile
    self.resource = resource
  }

  /// Where to connect to, for people too.
  public var serverName: String { server ?? account.domain }
}

extension ClientConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The account alone: a configuration that ends up in a log must not take the password there.
  public var description: String { account.description }
  /// As ``description``.
  public var debugDescription: String { description }
  /// Nothing: a dump would show the password.
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}
