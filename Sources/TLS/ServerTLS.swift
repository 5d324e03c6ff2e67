// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// What the connections of one server share to make TLS: OpenSSL's context with the server's certificate.
///
/// Sendable, because a context that is configured may be used from several threads (SSL_CTX_new(3)); it is configured
/// before anybody else sees it.
public final class ServerTLS: @unchecked Sendable {
  /// The certificate that is shown, in PEM: clients may be given it as the file of certificates to trust.
  public let certificate: String
  let pointer: OpaquePointer

  /// Prepares to make TLS with clients: version 1.2 or newer.
  /// - Throws: ``TransportError`` where the certificate or its key cannot be used.
  public init(_ identity: ServerIdentity) throws(TransportError) {
    ERR_clear_error()
    defer { ERR_clear_error() }
    certificate = identity.certificate
    guard let pointer = SSL_CTX_new(TLS_server_method()) else { throw Self.unusable("OpenSSL has no room for it") }
    self.pointer = pointer
    guard openssl_prepare_context(pointer) == 1, SSL_CTX_set_num_tickets(pointer, 0) == 1 else {
      throw Self.unusable("OpenSSL cannot be set up for TLS 1.2 or newer")
    }
    // Sessions of TLS are not gone on with: each connection has keys of its own, which logging in may be tied to.
    SSL_CTX_set_options(pointer, openssl_no_ticket)
    SSL_CTX_ctrl(pointer, SSL_CTRL_SET_SESS_CACHE_MODE, Int(SSL_SESS_CACHE_OFF), nil)
    let chain = try Self.read(identity.certificate) { PEM_read_bio_X509($0, nil, noPassphrase, nil) }
    defer { X509_free(chain) }
    let key = try Self.read(identity.key) { PEM_read_bio_PrivateKey($0, nil, noPassphrase, nil) }
    defer { EVP_PKEY_free(key) }
    guard SSL_CTX_use_certificate(pointer, chain) == 1, SSL_CTX_use_PrivateKey(pointer, key) == 1 else {
      throw Self.unusable("its key is not that of its certificate")
    }
  }

  deinit { SSL_CTX_free(pointer) }

  private static func read(
    _ text: String, _ read: (OpaquePointer) -> OpaquePointer?
  ) throws(TransportError) -> OpaquePointer {
    let bytes = Array(text.utf8)
    let input = BIO_new_mem_buf(bytes, Int32(clamping: bytes.count))
    defer { BIO_free(input) }
    guard let input, let result = read(input) else { throw unusable("it is not in PEM form") }
    return result
  }

  private static func unusable(_ why: String) -> TransportError {
    TransportError(.trust, "the server's certificate cannot be used: \(why)")
  }
}
