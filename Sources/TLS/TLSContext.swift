// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import EventLoop
internal import Glibc

/// What all connections with the same trust share: OpenSSL's context with the trusted certificates.
///
/// Made when first needed and kept: the system's certificates take 16 ms to read and more than a megabyte.
/// Sendable, because a context that is configured may be used from several threads (SSL_CTX_new(3)); it is
/// configured before anybody else sees it.
final class TLSContext: @unchecked Sendable {
  let pointer: OpaquePointer

  /// Files of certificates that are larger are not read.
  private static let mostFileBytes = 4 << 20
  /// More files than that in use at once is not expected: then all are forgotten and read anew.
  private static let mostCached = 16

  @LoopActor private static var system: TLSContext?
  @LoopActor private static var trustless: TLSContext?
  // By content: a file that was changed is a new setting.
  @LoopActor private static var byFileContent: [[UInt8]: TLSContext] = [:]

  private init() throws(TransportError) {
    guard let pointer = SSL_CTX_new(TLS_client_method()) else { throw TLSContext.cannotMake }
    self.pointer = pointer
    guard openssl_prepare_context(pointer) == 1 else { throw TLSContext.cannotMake }
    CertificateVerification.prepare(pointer)
  }

  deinit { SSL_CTX_free(pointer) }

  private static var cannotMake: TransportError {
    TransportError(.trust, "OpenSSL cannot be set up for TLS 1.2 or newer: is its configuration in order?")
  }

  /// The context for `trust`. Reads files off the loop.
  @LoopActor
  static func context(for trust: TrustSettings) async throws(TransportError) -> TLSContext {
    // Where one certificate is named nobody's signature counts, and nothing need be read.
    if trust.fingerprint != nil {
      if let trustless { return trustless }
      let made = try TLSContext()
      trustless = made
      return made
    }
    guard let path = trust.caFile else {
      if let system { return system }
      let made = try await offLoop { Result(catching: systemContext) }.get()
      system = made
      return made
    }
    let content = try await offLoop { Result { () throws(TransportError) in try read(path) } }.get()
    if let known = byFileContent[content] { return known }
    let made = try context(of: content, path)
    if byFileContent.count >= mostCached { byFileContent = [:] }
    byFileContent[content] = made
    return made
  }

  private static func systemContext() throws(TransportError) -> TLSContext {
    let context = try TLSContext()
    ERR_clear_error()
    guard SSL_CTX_set_default_verify_paths(context.pointer) == 1 else {
      throw TransportError(.trust, "the system's trusted certificates cannot be read: is ca-certificates installed?")
    }
    return context
  }

  private static func context(of content: [UInt8], _ path: String) throws(TransportError) -> TLSContext {
    let context = try TLSContext()
    let store = SSL_CTX_get_cert_store(context.pointer)
    let input = BIO_new_mem_buf(content, Int32(content.count))
    defer {
      BIO_free(input)
      ERR_clear_error()
    }
    var count = 0
    while let certificate = PEM_read_bio_X509(input, nil, noPassphrase, nil) {
      X509_STORE_add_cert(store, certificate)
      X509_free(certificate)
      count += 1
    }
    guard count > 0 else {
      throw TransportError(.trust, "ca-file \(path) contains no certificate in PEM form (-----BEGIN CERTIFICATE-----)")
    }
    // What the file names is trusted itself, whether it is a root or not.
    X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
    return context
  }

  /// Reads a regular file: the path comes from outside, and opening a pipe or a device would wait for ever.
  private static func read(_ path: String) throws(TransportError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else {
      throw TransportError(.trust, "ca-file \(path) cannot be opened: \(errorText(errno))")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= mostFileBytes else {
      throw TransportError(.trust, "ca-file \(path) is not a regular file of at most \(mostFileBytes) bytes")
    }
    var content: [UInt8] = []
    while content.count < mostFileBytes {
      var piece = [UInt8](repeating: 0, count: 64 * 1024)
      let count = Glibc.read(descriptor, &piece, piece.count)
      guard count >= 0 else {
        throw TransportError(.trust, "ca-file \(path) cannot be read: \(errorText(errno))")
      }
      if count == 0 { break }
      content += piece.prefix(count)
    }
    return content
  }
}
