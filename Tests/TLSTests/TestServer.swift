// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Glibc
import TLS

/// A server on loopback that serves one connection on a thread of its own, with blocking calls.
final class TestServer: Sendable {
  let address: SocketAddress
  private let outcome: AsyncStream<Void>

  init(_ serve: @escaping @Sendable (ServerConnection) -> Void) {
    let listener = Listener(backlog: 4)
    address = listener.address
    let (stream, continuation) = AsyncStream<Void>.makeStream()
    outcome = stream
    Self.thread {
      let connection = ServerConnection(accept(listener.descriptor, nil, nil))
      listener.close()
      serve(connection)
      connection.close()
      continuation.finish()
    }
  }

  /// Returns when the connection was served.
  func finished() async { for await _ in outcome {} }

  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  private static func thread(_ body: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(Body(body)).toOpaque())
    pthread_detach(thread)
  }
}

/// A socket that listens on a free port of loopback.
struct Listener: Sendable {
  let descriptor: Int32
  let address: SocketAddress

  init(backlog: Int32) {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = descriptor
    withUnsafeMutablePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
        bind(descriptor, name, size)
        listen(descriptor, backlog)
        getsockname(descriptor, name, &size)
      }
    }
    guard let address = withUnsafeBytes(of: &name, { SocketAddress(socketAddress: $0) }) else {
      preconditionFailure("no socket on loopback")
    }
    self.address = address
  }

  func close() { Glibc.close(descriptor) }
}

/// The server's end of a connection.
final class ServerConnection: @unchecked Sendable {
  let descriptor: Int32
  private(set) var session: OpaquePointer?

  init(_ descriptor: Int32) {
    self.descriptor = descriptor
    // A test that has gone wrong ends, even so.
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  /// Makes TLS; false when it failed.
  /// - Parameter clients: who vouches for the clients that are let in; `nil` for no question.
  @discardableResult
  func startTLS(
    _ identity: TestIdentity, version: Int32? = nil, extendedMasterSecret: Bool = true, clients: TestIdentity? = nil
  ) -> Bool {
    let context = SSL_CTX_new(TLS_server_method())
    defer { SSL_CTX_free(context) }
    SSL_CTX_set_security_level(context, 0)
    SSL_CTX_use_certificate(context, identity.certificate)
    SSL_CTX_use_PrivateKey(context, identity.key)
    for issuer in identity.between {
      X509_up_ref(issuer.certificate)
      SSL_CTX_ctrl(context, SSL_CTRL_EXTRA_CHAIN_CERT, 0, UnsafeMutableRawPointer(issuer.certificate))
    }
    if let clients {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context), clients.certificate)
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    }
    // SSL_OP_NO_EXTENDED_MASTER_SECRET
    if !extendedMasterSecret { SSL_CTX_set_options(context, 1) }
    if let version {
      SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(version), nil)
      SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil)
    }
    SSL_CTX_set_alpn_select_cb(
      context,
      { _, selected, length, offered, _, _ in
        // The first that is offered.
        guard let offered else { return SSL_TLSEXT_ERR_NOACK }
        selected?.pointee = offered + 1
        length?.pointee = offered[0]
        return SSL_TLSEXT_ERR_OK
      }, nil)
    session = SSL_new(context)
    SSL_set_fd(session, descriptor)
    return SSL_accept(session) == 1
  }

  /// What comes next, at most `count` bytes; empty at the end.
  func read(_ count: Int = 16 * 1024) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let read = session != nil ? Int(SSL_read(session, &bytes, Int32(count))) : recv(descriptor, &bytes, count, 0)
    return Array(bytes.prefix(max(read, 0)))
  }

  /// Everything up to the end.
  func readToEnd(pieces: Int = 16 * 1024) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      let piece = read(pieces)
      if piece.isEmpty { return bytes }
      bytes += piece
    }
  }

  func write(_ bytes: some Sequence<UInt8>) {
    var bytes = Array(bytes)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { bytes in
        session != nil
          ? Int(SSL_write(session, bytes.baseAddress, Int32(bytes.count)))
          : send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }

  /// Whether the client said goodbye in TLS.
  var receivedGoodbye: Bool { SSL_get_shutdown(session) & SSL_RECEIVED_SHUTDOWN != 0 }
  var serverName: String? { SSL_get_servername(session, TLSEXT_NAMETYPE_host_name).map { String(cString: $0) } }
  var applicationProtocol: String {
    var name: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    SSL_get0_alpn_selected(session, &name, &count)
    return String(decoding: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self)
  }

  /// The common name of the client's certificate; empty where it showed none.
  var clientName: String {
    guard let certificate = SSL_get1_peer_certificate(session) else { return "" }
    defer { X509_free(certificate) }
    var text = [CChar](repeating: 0, count: 64)
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, &text, Int32(text.count))
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  func sayGoodbye() { SSL_shutdown(session) }

  func close() {
    SSL_free(session)
    session = nil
    // A program that another test starts at this moment may hold a copy of the descriptor.
    shutdown(descriptor, Int32(SHUT_RDWR))
    Glibc.close(descriptor)
  }
}
