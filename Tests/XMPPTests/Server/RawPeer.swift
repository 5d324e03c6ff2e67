// SPDX-License-Identifier: Apache-2.0

import EventLoop
import TLS
import Testing
import Waiting

/// The other end of a server's connection, which says what a test tells it to say.
@LoopActor
final class RawPeer {
  private(set) var received = ""
  private(set) var isClosed = false
  private let transport: Transport
  private let changes = Changes()

  init(port: UInt16) async throws {
    transport = try await Transport.connect(to: try SocketAddress(numeric: "127.0.0.1", port: port))
    transport.onEvent = { [weak self] event in
      guard let self else { return }
      switch event {
      case .received(let bytes): received += String(decoding: bytes, as: UTF8.self)
      case .closed: isClosed = true
      }
      changes.tell()
    }
  }

  func send(_ text: String) { transport.send(Array(text.utf8)) }

  func wait(at location: SourceLocation = #_sourceLocation, until condition: (RawPeer) -> Bool) async {
    let hasCome = await changes.wait { condition(self) }
    #expect(hasCome, "what was waited for has not come", sourceLocation: location)
  }

  nonisolated static func header(
    to domain: String = "localhost", namespace: String = "jabber:client", version: String = " version='1.0'"
  ) -> String {
    "<?xml version='1.0'?><stream:stream xmlns='\(namespace)' xmlns:stream='http://etherx.jabber.org/streams' "
      + "to='\(domain)'\(version)>"
  }
}
