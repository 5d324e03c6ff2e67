// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Logging
import LoopbackServer
import Support
import Testing
import Waiting
import XML
import XMPP

/// A client of the program's own, logged in to an embedded server; it answers what the server asks.
@LoopActor
final class LiveClient {
  private(set) var jid: FullJID?
  private(set) var end: StreamEnd?
  private(set) var resumption: Resumption?
  private(set) var isResumed = false
  private let stream: ClientStream
  private let trusted: TemporaryDirectory?
  private let changes = Changes()

  /// - Parameter account: without its domain.
  init(
    _ account: String, at server: LoopbackServer, password: String = "secret", resource: String? = nil,
    resumption: Resumption? = nil
  ) throws {
    var configuration = ClientConfiguration(
      account: try BareJID("\(account)@\(server.configuration.domain)"), password: password, server: "127.0.0.1",
      port: server.port, tls: server.certificate == nil ? .off : .starttls, resource: resource)
    if let certificate = server.certificate {
      let directory = try TemporaryDirectory()
      try writeFile(directory.file("ca.pem"), certificate)
      configuration.caFile = directory.file("ca.pem")
      trusted = directory
    } else {
      trusted = nil
    }
    stream = ClientStream(
      configuration, time: EventLoop.shared.time, logger: Logger(label: "test"), resumption: resumption)
    stream.onEvent = { [weak self] in self?.received($0) }
  }

  private func received(_ event: StreamEvent) {
    switch event {
    case .bound(let jid, _, _): self.jid = jid
    case .resumed: isResumed = true
    case .stanza(.iq(let iq), _) where iq.type == .get: stream.send(iq.result().element, isMeant: true)
    case .ended(let end, let resumption):
      self.end = end
      self.resumption = resumption
    case .step, .stanza, .notResumed: return
    }
    changes.tell()
  }

  func wait(at location: SourceLocation = #_sourceLocation, until condition: (LiveClient) -> Bool) async {
    let hasCome = await changes.wait { condition(self) }
    #expect(hasCome, "what was waited for has not come", sourceLocation: location)
  }

  func open() { stream.open() }

  /// Logs in, as far as the server lets it.
  func login() async {
    open()
    await wait { $0.jid != nil || $0.isResumed || $0.end != nil }
  }

  func say(_ text: String) throws { stream.send(try Element.parse(text, namespace: "jabber:client"), isMeant: true) }

  func close() { stream.close() }
}
