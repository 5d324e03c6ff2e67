// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import EventLoop
import Glibc
import Testing

@testable import TLS

@Suite("TLS on the server's end", .timeLimit(.minutes(1)))
struct ServerEndTests {
  init() {
    signal(SIGPIPE, SIG_IGN)
    EventLoop.runInBackground()
  }

  /// Two ends of a connection that are both ours.
  @LoopActor private func connect() async throws -> (client: Transport, server: Transport, ConnectionListener) {
    let (accepted, continuation) = AsyncStream<Transport>.makeStream()
    let address = try SocketAddress(numeric: "127.0.0.1", port: 0)
    let listener = try ConnectionListener(at: address) { continuation.yield($0) }
    #expect(listener.address.port != 0)
    let client = try await Transport.connect(to: listener.address)
    var iterator = accepted.makeAsyncIterator()
    return (client, try #require(await iterator.next(isolation: LoopActor.shared)), listener)
  }

  @Test("A certificate of our own making is accepted by whoever trusts it, and ties both ends together")
  @LoopActor func selfMade() async throws {
    let identity = try ServerIdentity.selfMade(for: ["localhost", "plays.localhost"])
    let (client, server, listener) = try await connect()
    defer { listener.close() }
    let file = TemporaryFile(Array(identity.certificate.utf8))
    let tls = try ServerTLS(identity)
    #expect(tls.certificate == identity.certificate)
    let (results, continuation) = AsyncStream<TLSInfo?>.makeStream()
    spawn { continuation.yield(try? await server.acceptTLS(tls)) }
    let info = try await client.startTLS(TrustSettings(caFile: file.path), serverName: "plays.localhost")
    var iterator = results.makeAsyncIterator()
    let other = try #require(await iterator.next(isolation: LoopActor.shared))
    #expect(other == info)
    #expect(info.version == "TLSv1.3")
    for kind in ChannelBinding.allCases { #expect(client.channelBinding(kind) == server.channelBinding(kind)) }
    #expect(client.channelBinding(.exporter)?.count == 32)
    #expect(client.channelBinding(.serverEndPoint)?.count == 32)
    let log = EventLog(client)
    server.onEvent = { _ in }
    server.send(Array("hello".utf8))
    await log.wait { log.text == "hello" }
    server.close()
    #expect(await log.closed() == nil, "TLS was ended as it must be")
  }

  @Test("It is for its domains only")
  @LoopActor func otherName() async throws {
    let identity = try ServerIdentity.selfMade(for: ["localhost"])
    let (client, server, listener) = try await connect()
    defer { listener.close() }
    let tls = try ServerTLS(identity)
    let file = TemporaryFile(Array(identity.certificate.utf8))
    spawn { _ = try? await server.acceptTLS(tls) }
    await #expect { try await client.startTLS(TrustSettings(caFile: file.path), serverName: "verona.lit") } throws: {
      ($0 as? TransportError)?.code == .certificate
    }
  }

  @Test("It names each domain for DNS and as a service, from a day ago for ten years")
  func names() throws {
    let identity = try ServerIdentity.selfMade(for: ["localhost"])
    let bytes = Array(identity.certificate.utf8)
    let input = BIO_new_mem_buf(bytes, Int32(bytes.count))
    defer { BIO_free(input) }
    let certificate = try #require(PEM_read_bio_X509(input, nil, noPassphrase, nil))
    defer { X509_free(certificate) }
    let names = CertificateNames(of: certificate)
    #expect(names.domains == [Array("localhost".utf8)])
    #expect(names.services == ["_xmpp-client.localhost", "_xmpp-server.localhost"].map { Array($0.utf8) })
    #expect(!names.hasOthers)
    #expect(X509_check_ca(certificate) == 0)
    var (days, seconds): (Int32, Int32) = (0, 0)
    #expect(ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(certificate), X509_get0_notAfter(certificate)) == 1)
    #expect(days == 3651)
    #expect(X509_cmp_current_time(X509_get0_notBefore(certificate)) == -1)
    #expect("\(identity)" == "a server's certificate")
    #expect(Mirror(reflecting: identity).children.isEmpty)
  }

  @Test("No certificate is made for what is no name", arguments: ["", "a b", "a,DNS:b", "a\n", "é"])
  func badName(name: String) {
    #expect(throws: TransportError.self) { try ServerIdentity.selfMade(for: [name]) }
    #expect(throws: TransportError.self) { try ServerIdentity.selfMade(for: []) }
  }

  @Test("A key that is not that of the certificate is refused, and what is no PEM")
  func mismatch() throws {
    let (one, other) = (try ServerIdentity.selfMade(for: ["a"]), try ServerIdentity.selfMade(for: ["a"]))
    #expect(throws: TransportError.self) {
      try ServerTLS(ServerIdentity(certificate: one.certificate, key: other.key))
    }
    #expect(throws: TransportError.self) { try ServerTLS(ServerIdentity(certificate: "x", key: one.key)) }
  }

  @Test("A client that speaks no TLS is told of, and one that goes")
  @LoopActor func noTLS() async throws {
    let tls = try ServerTLS(try ServerIdentity.selfMade(for: ["localhost"]))
    for (text, code) in [("<stream:stream>", TransportError.Code.handshake), ("", .network)] {
      let (client, server, listener) = try await connect()
      client.send(Array(text.utf8))
      client.close()
      await #expect { try await server.acceptTLS(tls) } throws: { ($0 as? TransportError)?.code == code }
      listener.close()
    }
  }
}
