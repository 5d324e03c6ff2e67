// SPDX-License-Identifier: Apache-2.0

import Crypto
import EventLoop
import Glibc
import Support
import Testing
import Waiting
import XMPP

/// A server on loopback that says what a test tells it to say, byte by byte.
@LoopActor
final class FakeServer {
  let port: UInt16
  /// All that the client has sent.
  private(set) var received = ""
  private(set) var hasClientClosed = false
  /// Called with each piece that came, after it was added to ``received``.
  var onReceive: (String) -> Void = { _ in }
  private let listener: Int32
  private var client: Int32 = -1
  private var unsent: [UInt8] = []
  private let changes = Changes()

  init() {
    (listener, port) = listenOnLoopback(waiting: 1)
    EventLoop.shared.watch(listener, for: .read) { [weak self] _ in self?.accept() }
  }

  isolated deinit {
    EventLoop.shared.unwatch(listener)
    close(listener)
    closeClient()
  }

  func send(_ text: String) {
    unsent += Array(text.utf8)
    flush()
  }

  /// Sends what the client takes, and the rest when it takes more.
  private func flush() {
    guard client >= 0, !unsent.isEmpty else { return }
    let count = Glibc.send(client, unsent, unsent.count, Int32(MSG_NOSIGNAL))
    unsent.removeFirst(max(count, 0))
    guard !unsent.isEmpty else { return watch() }
    guard count >= 0 || errno == EAGAIN else { return unsent = [] }
    EventLoop.shared.watch(client, for: [.read, .write]) { [weak self] interest in
      if interest.contains(.write) { self?.flush() } else { self?.read() }
    }
  }

  private func watch() {
    EventLoop.shared.watch(client, for: .read) { [weak self] _ in self?.read() }
  }

  /// Cuts the connection.
  func closeClient() {
    guard client >= 0 else { return }
    EventLoop.shared.unwatch(client)
    // A program that another test starts at this moment may hold a copy of the descriptor: closing it ends nothing then.
    shutdown(client, Int32(SHUT_RDWR))
    close(client)
    client = -1
    unsent = []
  }

  /// Leaves what the client sends where it is.
  func stopReading() { EventLoop.shared.unwatch(client) }

  /// Waits until `condition` holds; it is looked at when something came.
  func wait(at location: SourceLocation = #_sourceLocation, until condition: (FakeServer) -> Bool) async {
    let hasCome = await changes.wait { condition(self) }
    #expect(hasCome, "what was waited for has not come", sourceLocation: location)
  }

  private func accept() {
    client = Glibc.accept(listener, nil, nil)
    _ = fcntl(client, F_SETFL, O_NONBLOCK)
    watch()
    changes.tell()
  }

  private func read() {
    var bytes = [UInt8](repeating: 0, count: 65536)
    let count = recv(client, &bytes, bytes.count, 0)
    if count > 0 {
      let text = String(decoding: bytes[..<count], as: UTF8.self)
      received += text
      onReceive(text)
    } else {
      hasClientClosed = true
      closeClient()
    }
    changes.tell()
  }
}

extension FakeServer {
  nonisolated static let header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    + "from='shakespeare.lit' id='1' version='1.0'>"

  static func features(_ inside: String) -> String { "<stream:features>\(inside)</stream:features>" }

  /// Plays a server that lets the user in with SCRAM-SHA-1 and binds the resource that it asks for.
  /// - Parameters:
  ///   - features: what it offers besides.
  ///   - then: called with all that comes from then on.
  func letIn(
    password: String = "pencil", features: String = "", then: @escaping @LoopActor (String) -> Void = { _ in }
  ) {
    let sasl = "urn:ietf:params:xml:ns:xmpp-sasl"
    var first = ""
    var serverFirst = ""
    var isIn = false
    onReceive = { [unowned self] text in
      if text.contains("<stream:stream") {
        let offer =
          isIn
          ? "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>" + features
          : "<mechanisms xmlns='\(sasl)'><mechanism>SCRAM-SHA-1</mechanism></mechanisms>"
        send(Self.header + Self.features(offer))
      } else if text.hasPrefix("<auth") {
        first = String(Self.decode(text).dropFirst(3))
        let nonce = first.split(separator: "r=").last ?? ""
        serverFirst = "r=\(nonce)server,s=\(Base64.encode([1, 2, 3])),i=4096"
        send("<challenge xmlns='\(sasl)'>\(Base64.encode(Array(serverFirst.utf8)))</challenge>")
      } else if text.hasPrefix("<response") {
        let final = Self.decode(text).split(separator: ",p=").first ?? ""
        let salted = pbkdf2(password: Array(password.utf8), salt: [1, 2, 3], iterations: 4096, digest: .sha1)
        let key = HMAC.code(for: "Server Key".utf8, key: salted, digest: .sha1)
        let proof = HMAC.code(for: "\(first),\(serverFirst),\(final)".utf8, key: key, digest: .sha1)
        isIn = true
        send("<success xmlns='\(sasl)'>\(Base64.encode(Array("v=\(Base64.encode(proof))".utf8)))</success>")
      } else if text.contains("<resource>") {
        let id = text.split(separator: "id='").last?.split(separator: "'").first ?? ""
        let resource = text.split(separator: "<resource>").last?.split(separator: "<").first ?? ""
        send(
          "<iq id='\(id)' type='result'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
            + "<jid>user@shakespeare.lit/\(resource)</jid></bind></iq>")
      } else {
        then(text)
      }
    }
  }

  private static func decode(_ text: String) -> String {
    let inside = text.split(separator: ">").dropFirst().first?.split(separator: "<").first ?? ""
    return String(decoding: Base64.decode(String(inside)) ?? [], as: UTF8.self)
  }
}
