// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import EventLoop
internal import Glibc

/// One end of a TLS connection, as OpenSSL keeps it, on a descriptor that somebody else owns.
///
/// OpenSSL's queue of errors belongs to the thread: it is emptied before each call, or an old error would be taken
/// for this call's.
@LoopActor
final class TLSSession {
  let pointer: OpaquePointer
  /// Whether this is the server's end.
  let isServer: Bool
  /// Of the server's certificate; the server asks for none.
  private let verification: CertificateVerification?

  init(
    _ context: TLSContext, descriptor: Int32, serverName: String, trust: TrustSettings, applicationProtocol: String?
  ) throws(TransportError) {
    guard let peer = PeerName(serverName) else {
      throw TransportError(.handshake, "'\(serverName)' is not a name that a certificate can have")
    }
    ERR_clear_error()
    guard let pointer = SSL_new(context.pointer), SSL_set_fd(pointer, descriptor) == 1 else {
      throw TransportError(.handshake, "OpenSSL has no room for another connection")
    }
    self.pointer = pointer
    isServer = false
    let verification = CertificateVerification(peer, fingerprint: trust.fingerprint)
    self.verification = verification
    SSL_set_connect_state(pointer)
    verification.attach(to: pointer)
    // Asked for by name (SNI), where it has one.
    if case .domain = peer { openssl_set_server_name(pointer, peer.description) }
    try trust.clientCertificate?.use(in: pointer)
    if let name = applicationProtocol.map({ Array($0.utf8) }), let length = UInt8(exactly: name.count) {
      SSL_set_alpn_protos(pointer, [length] + name, UInt32(name.count) + 1)
    }
  }

  /// The server's end of a connection.
  init(_ tls: ServerTLS, descriptor: Int32) throws(TransportError) {
    ERR_clear_error()
    guard let pointer = SSL_new(tls.pointer), SSL_set_fd(pointer, descriptor) == 1 else {
      throw TransportError(.handshake, "OpenSSL has no room for another connection")
    }
    self.pointer = pointer
    isServer = true
    verification = nil
    SSL_set_accept_state(pointer)
  }

  isolated deinit { SSL_free(pointer) }

  /// Goes on with the handshake; `.bytes` when it is done.
  func handshake() -> IOOutcome {
    let outcome = outcome { SSL_do_handshake(pointer) }
    // There are kinds of TLS without certificates. None is on by default, and none will do.
    if case .bytes = outcome, let verification, !verification.isAccepted {
      return .failed(TransportError(.handshake, "the server showed no certificate"))
    }
    return outcome
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) -> IOOutcome {
    outcome { SSL_read(pointer, buffer.baseAddress, Int32(clamping: buffer.count)) }
  }

  func write(_ bytes: UnsafeRawBufferPointer) -> IOOutcome {
    outcome { SSL_write(pointer, bytes.baseAddress, Int32(clamping: bytes.count)) }
  }

  /// Sends close_notify. False when there was no room for it: try again.
  func shutDown() -> Bool {
    if case .wantsWrite = outcome({ SSL_shutdown(pointer) }) { return false }
    return true
  }

  var info: TLSInfo {
    TLSInfo(
      version: String(cString: SSL_get_version(pointer)),
      cipher: SSL_CIPHER_get_name(SSL_get_current_cipher(pointer)).map { String(cString: $0) } ?? "",
      certificateSHA256: withServerCertificate(sha256(of:)) ?? "")
  }

  /// The server's certificate, where TLS has been made.
  func withServerCertificate<Result>(_ body: (OpaquePointer) -> Result?) -> Result? {
    if isServer { return SSL_get_certificate(pointer).flatMap(body) }
    guard let certificate = SSL_get1_peer_certificate(pointer) else { return nil }
    defer { X509_free(certificate) }
    return body(certificate)
  }

  private func outcome(_ call: () -> Int32) -> IOOutcome {
    ERR_clear_error()
    errno = 0
    let result = call()
    let failure = errno
    if result > 0 { return .bytes(Int(result)) }
    switch SSL_get_error(pointer, result) {
    case SSL_ERROR_WANT_READ: return .wantsRead
    case SSL_ERROR_WANT_WRITE: return .wantsWrite
    case SSL_ERROR_ZERO_RETURN: return .ended
    case SSL_ERROR_SYSCALL: return .failed(failure == 0 ? Self.truncated : Socket.lost(failure))
    default: return .failed(libraryError())
    }
  }

  private static var truncated: TransportError {
    TransportError(.network, "the connection was cut off without the end that TLS asks for")
  }

  private func libraryError() -> TransportError {
    if let problem = verification?.problem {
      return TransportError(.certificate, problem.description, certificate: problem)
    }
    let error = ERR_peek_last_error()
    if openssl_error_is_truncation(error) == 1 { return Self.truncated }
    guard !isServer else { return TransportError(.handshake, "TLS failed: \(Self.reason(of: error))") }
    switch openssl_error_reason(error) {
    case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return TransportError(.handshake, "the server offers no TLS 1.2 or newer, and older versions are not safe")
    case SSL_R_WRONG_VERSION_NUMBER:
      return TransportError(.handshake, "the server answered the TLS handshake with something that is not TLS")
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return TransportError(.trust, "the server takes nobody without a certificate: give one as client-certificate")
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
      SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
      SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return TransportError(
        .trust,
        "the server does not take our client certificate (\(Self.reason(of: error))): check client-certificate, or leave "
          + "it out and give a password")
    default:
      return TransportError(.handshake, "TLS failed: \(Self.reason(of: error))")
    }
  }

  private static func reason(of error: UInt) -> String {
    ERR_reason_error_string(error).map { String(cString: $0) } ?? "error \(error)"
  }
}
