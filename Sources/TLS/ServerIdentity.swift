// SPDX-License-Identifier: Apache-2.0

/// A certificate and its private key, for a server to show.
public struct ServerIdentity: Sendable {
  /// The certificate, in PEM: what clients are given as the file of certificates to trust.
  public let certificate: String
  /// The private key, in PEM.
  let key: String

  init(certificate: String, key: String) {
    self.certificate = certificate
    self.key = key
  }
}

extension ServerIdentity: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// Not what it is: a key must not get into a log.
  public var description: String { "a server's certificate" }
  /// As ``description``.
  public var debugDescription: String { description }
  /// Nothing: a dump would show the key.
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}
