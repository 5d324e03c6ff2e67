// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// One end of a TLS connection, between bytes in memory: what is received and sent is somebody else's business.
final class TLSEnd {
  private let session: OpaquePointer
  private let incoming: OpaquePointer
  private let outgoing: OpaquePointer

  /// Whether it can do nothing any more: the handshake failed, or the other end has said goodbye.
  private(set) var isOver = false

  /// The server's end.
  convenience init?(as identity: TestCertificate, version: Int32? = nil) {
    guard let context = SSL_CTX_new(TLS_server_method()) else { return nil }
    defer { SSL_CTX_free(context) }
    guard SSL_CTX_use_certificate_chain_file(context, identity.chainFile) == 1,
      SSL_CTX_use_PrivateKey_file(context, identity.keyFile, SSL_FILETYPE_PEM) == 1
    else { return nil }
    self.init(context, version)
    SSL_set_accept_state(session)
  }

  /// The client's end, which believes everybody.
  convenience init?(version: Int32?) {
    guard let context = SSL_CTX_new(TLS_client_method()) else { return nil }
    defer { SSL_CTX_free(context) }
    self.init(context, version)
    SSL_set_connect_state(session)
  }

  private init?(_ context: OpaquePointer, _ version: Int32?) {
    if let version {
      SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(version), nil)
      SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil)
    }
    guard let session = SSL_new(context), let incoming = BIO_new(BIO_s_mem()), let outgoing = BIO_new(BIO_s_mem())
    else { return nil }
    self.session = session
    self.incoming = incoming
    self.outgoing = outgoing
    SSL_set_bio(session, incoming, outgoing)
  }

  deinit { SSL_free(session) }

  /// Takes what came from the other end; nothing at all begins the handshake.
  /// - Returns: what it says.
  func received(_ bytes: [UInt8]) -> [UInt8] {
    if !bytes.isEmpty { BIO_write(incoming, bytes, Int32(bytes.count)) }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16 * 1024)
    while !isOver {
      ERR_clear_error()
      let count = SSL_read(session, &buffer, Int32(buffer.count))
      if count > 0 {
        text += buffer.prefix(Int(count))
        continue
      }
      switch SSL_get_error(session, count) {
      case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return text
      default: isOver = true
      }
    }
    return text
  }

  /// Says something to the other end. Not before the handshake is done.
  func send(_ text: [UInt8]) {
    guard !text.isEmpty, !isOver else { return }
    ERR_clear_error()
    if SSL_write(session, text, Int32(text.count)) <= 0 { isOver = true }
  }

  /// Whether the handshake is done.
  var isSecure: Bool { SSL_is_init_finished(session) == 1 }

  /// Takes what is to be transmitted to the other end.
  func takeOutgoing() -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16 * 1024)
    while true {
      let count = BIO_read(outgoing, &buffer, Int32(buffer.count))
      guard count > 0 else { return bytes }
      bytes += buffer.prefix(Int(count))
    }
  }

  /// Says goodbye.
  func close() { SSL_shutdown(session) }
}
