// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// What an account shows to prove who it is (SASL EXTERNAL, XEP-0178): a certificate, those that vouch for it, and the
/// private key of the first.
public struct ClientCertificate: Hashable, Sendable {
  private let pem: [UInt8]
  /// The XMPP addresses that it names (`id-on-xmppAddr`, RFC 6120 §13.7.1.4), as they stand there, in order.
  public let xmppAddresses: [String]

  /// Reads a certificate and its key.
  ///
  /// - Parameter pem: one or more certificates and one private key in PEM, in any order. The key is not protected by a
  ///   passphrase: nobody is there who could be asked for it.
  /// - Throws: ``TransportError`` with a text that says what is wrong, where it could not be shown to a server. Its time
  ///   is not looked at: that is for the server to judge.
  public init(pem: [UInt8]) throws(TransportError) {
    // The certificate is tried on a connection of nobody's.
    ERR_clear_error()
    defer { ERR_clear_error() }
    guard let context = SSL_CTX_new(TLS_client_method()) else { throw Self.noRoom }
    defer { SSL_CTX_free(context) }
    guard let session = SSL_new(context) else { throw Self.noRoom }
    defer { SSL_free(session) }
    self.pem = pem
    xmppAddresses = try Self.use(pem, in: session)
  }

  /// Has `session` show it when the server asks.
  func use(in session: OpaquePointer) throws(TransportError) {
    ERR_clear_error()
    defer { ERR_clear_error() }
    _ = try Self.use(pem, in: session)
  }

  /// - Returns: the addresses of the certificate that the key belongs to.
  private static func use(_ pem: [UInt8], in session: OpaquePointer) throws(TransportError) -> [String] {
    let key = try readKey(pem)
    defer { EVP_PKEY_free(key) }
    let certificates = try readCertificates(pem)
    defer { for certificate in certificates { X509_free(certificate) } }
    guard let own = certificates.first(where: { X509_check_private_key($0, key) == 1 }) else {
      throw unusable("its private key belongs to none of its certificates")
    }
    let others = OPENSSL_sk_new_null()
    defer { OPENSSL_sk_free(others) }
    for certificate in certificates where certificate != own {
      OPENSSL_sk_push(others, UnsafeRawPointer(certificate))
    }
    guard SSL_use_cert_and_key(session, own, key, others, 1) == 1 else {
      throw unusable(ERR_reason_error_string(ERR_peek_last_error()).map { String(cString: $0) } ?? "it is not accepted")
    }
    return TLS.xmppAddresses(of: own)
  }

  private static func readKey(_ pem: [UInt8]) throws(TransportError) -> OpaquePointer {
    guard let input = BIO_new_mem_buf(pem, Int32(clamping: pem.count)) else { throw noRoom }
    defer { BIO_free(input) }
    var isProtected = false
    let key = PEM_read_bio_PrivateKey(
      input, nil,
      { _, _, _, isProtected in
        isProtected?.assumingMemoryBound(to: Bool.self).pointee = true
        return -1
      }, &isProtected)
    guard !isProtected else {
      EVP_PKEY_free(key)
      throw unusable("its private key is protected by a passphrase, which nobody could be asked for: remove that")
    }
    guard let key else { throw unusable("it holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)") }
    return key
  }

  private static func readCertificates(_ pem: [UInt8]) throws(TransportError) -> [OpaquePointer] {
    guard let input = BIO_new_mem_buf(pem, Int32(clamping: pem.count)) else { throw noRoom }
    defer { BIO_free(input) }
    ERR_clear_error()
    var certificates: [OpaquePointer] = []
    while let certificate = PEM_read_bio_X509(input, nil, noPassphrase, nil) { certificates.append(certificate) }
    let error = ERR_peek_last_error()
    let isEnd = openssl_error_is_end_of_pem(error) == 1
    guard isEnd, !certificates.isEmpty else {
      for certificate in certificates { X509_free(certificate) }
      throw unusable(
        isEnd
          ? "it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)"
          : "one of its certificates cannot be read")
    }
    return certificates
  }

  private static func unusable(_ why: String) -> TransportError {
    TransportError(.trust, "the client certificate cannot be used: \(why)")
  }

  private static var noRoom: TransportError { TransportError(.trust, "OpenSSL has no room for a client certificate") }
}

extension ClientCertificate: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// Not what it is: a key must not get into a log.
  public var description: String { "a client certificate" }
  /// As ``description``.
  public var debugDescription: String { description }
  /// Nothing: a dump would show the key.
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Answers OpenSSL's question for a passphrase with none: it would else ask whoever sits at the terminal, and wait.
let noPassphrase: @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 = {
  _, _, _, _ in -1
}
