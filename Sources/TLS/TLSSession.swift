// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import EventLoop
internal import Glibc

/// One TLS connection, as OpenSSL keeps it, on a descriptor that somebody else owns.
///
/// OpenSSL's queue of errors belongs to the thread: it is emptied before each call, or an old error would be taken
/// for this call's.
@LoopActor
final class TLSSession {
  let pointer: OpaquePointer
  private let verification = CertificateVerification()

  init(
    _ context: TLSContext, descriptor: Int32, serverName: String, applicationProtocol: String?
  ) throws(TransportError) {
    ERR_clear_error()
    guard let pointer = SSL_new(context.pointer), SSL_set_fd(pointer, descriptor) == 1 else {
      throw TransportError(.handshake, "OpenSSL has no room for another connection")
    }
    self.pointer = pointer
    SSL_set_connect_state(pointer)
    verification.attach(to: pointer)
    try expect(serverName)
    if let name = applicationProtocol.map({ Array($0.utf8) }), let length = UInt8(exactly: name.count) {
      SSL_set_alpn_protos(pointer, [length] + name, UInt32(name.count) + 1)
    }
  }

  isolated deinit { SSL_free(pointer) }

  /// Sets the name that the certificate must have, and asks for it (SNI). An empty name would switch the check off
  /// in OpenSSL, a leading dot would let every subdomain pass, a NUL would cut the name: none gets there.
  private func expect(_ name: String) throws(TransportError) {
    if SocketAddress(name, port: 0) != nil {
      guard X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(pointer), name) == 1 else { throw invalid(name) }
      return
    }
    let isHostName = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
      default: false
      }
    }
    guard isHostName, !name.isEmpty, !name.hasPrefix("."), name.utf8.count <= 253 else { throw invalid(name) }
    SSL_set_hostflags(pointer, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
    guard SSL_set1_host(pointer, name) == 1, openssl_set_server_name(pointer, name) == 1 else { throw invalid(name) }
  }

  private func invalid(_ name: String) -> TransportError {
    TransportError(.handshake, "'\(name)' is not a name that a certificate can have")
  }

  /// Goes on with the handshake; `.bytes` when it is done.
  func handshake() -> IOOutcome {
    outcome { SSL_do_handshake(pointer) }
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
      certificateSHA256: withPeerCertificate(sha256(of:)) ?? "")
  }

  /// The server's certificate, where TLS has been made.
  func withPeerCertificate<Result>(_ body: (OpaquePointer) -> Result?) -> Result? {
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
    if let problem = verification.problem {
      return TransportError(.certificate, problem.description, certificate: problem)
    }
    let error = ERR_peek_last_error()
    if openssl_error_is_truncation(error) == 1 { return Self.truncated }
    switch openssl_error_reason(error) {
    case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return TransportError(.handshake, "the server offers no TLS 1.2 or newer, and older versions are not safe")
    case SSL_R_WRONG_VERSION_NUMBER:
      return TransportError(.handshake, "the server answered the TLS handshake with something that is not TLS")
    default:
      let text = ERR_reason_error_string(error).map { String(cString: $0) } ?? "error \(error)"
      return TransportError(.handshake, "TLS failed: \(text)")
    }
  }
}
