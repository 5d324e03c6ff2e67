// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Glibc
import Logging
import Support
import TLS
import Testing
import Waiting
import XML

@testable import XMPP

/// A server on loopback that keeps what its streams tell, and does nothing with it.
@LoopActor
final class TestService {
  nonisolated static let password = "r0m30myr0m30"
  nonisolated static let identity = Result { try ServerIdentity.selfMade(for: ["localhost"]) }
  /// Juliet's; made once, as it takes a while.
  nonisolated static let stored = StoredCredentials(password: password)

  let streams: ServerStreams
  let listener: ServerListener
  private(set) var accepted: [Watched] = []
  private let household = Household()
  private let directory: TemporaryDirectory
  var caFile: String { directory.file("ca.pem") }
  private let changes = Changes()

  /// A stream, and what it has told.
  @LoopActor
  final class Watched {
    let stream: ServerStream
    fileprivate(set) var told: [String] = []
    fileprivate(set) var stanzas: [Element] = []
    fileprivate(set) var fences = 0
    /// Without fences.
    fileprivate(set) var unacknowledged: [Element] = []
    var isOver: Bool { told.last == "ended" }

    init(_ stream: ServerStream) { self.stream = stream }
  }

  /// Who is known.
  private final class Household: ServerAuthority {
    func credentials(for localpart: String) -> StoredCredentials? { localpart == "juliet" ? TestService.stored : nil }
    func componentSecret(for domain: String) -> String? { domain == "plays.localhost" ? "secret" : nil }
  }

  init(
    time: any TimeSource = EventLoop.shared.time,
    _ change: (inout ServerStreamConfiguration) -> Void = { _ in }
  ) throws {
    signal(SIGPIPE, SIG_IGN)
    let identity = try Self.identity.get()
    directory = try TemporaryDirectory()
    try writeFile(directory.file("ca.pem"), identity.certificate)
    var configuration = ServerStreamConfiguration(domain: "localhost", tls: try ServerTLS(identity))
    change(&configuration)
    streams = ServerStreams(configuration, authority: household, time: time)
    listener = try ServerListener(host: "127.0.0.1", port: 0, streams: streams)
    listener.onAccept = { [weak self] stream in self?.accept(stream) }
  }

  private func accept(_ stream: ServerStream) {
    let watched = Watched(stream)
    accepted.append(watched)
    stream.onEvent = { [weak self, weak watched] event in
      switch event {
      case .bound(let jid): watched?.told.append("bound \(jid.bare)")
      case .component(let domain): watched?.told.append("component \(domain)")
      case .stanza(let element) where element.body == "fence": watched?.fences += 1
      case .stanza(let element):
        watched?.told.append("stanza")
        watched?.stanzas.append(element)
      case .suspended: watched?.told.append("suspended")
      case .resumed: watched?.told.append("resumed")
      case .ended(let unacknowledged):
        watched?.told.append("ended")
        watched?.unacknowledged = unacknowledged.filter { $0.body != "fence" }
      }
      self?.changes.tell()
    }
    changes.tell()
  }

  func wait(at location: SourceLocation = #_sourceLocation, until condition: (TestService) -> Bool) async {
    let hasCome = await changes.wait { condition(self) }
    #expect(hasCome, "what was waited for has not come", sourceLocation: location)
  }

  /// A client of Juliet's, not open yet.
  func client(
    account: String = "juliet@localhost", password: String = password, tls: ClientConfiguration.TLS = .starttls,
    port: UInt16? = nil, resource: String? = "balcony", resumption: Resumption? = nil,
    time: any TimeSource = EventLoop.shared.time, _ change: (inout ClientConfiguration) -> Void = { _ in }
  ) throws -> (ClientStream, StreamWatcher) {
    var configuration = ClientConfiguration(
      account: try BareJID(account), password: password, server: "127.0.0.1", port: port ?? listener.port, tls: tls,
      caFile: caFile, resource: resource)
    change(&configuration)
    let stream = ClientStream(configuration, time: time, logger: Logger(label: "test"), resumption: resumption)
    return (stream, StreamWatcher(stream))
  }

  /// Waits until each has taken all that the other has said so far.
  func fence(_ client: ClientStream, _ watcher: StreamWatcher, _ watched: Watched) async {
    let fences = watched.fences
    client.send(message("fence"), isMeant: true)
    await wait { _ in watched.fences > fences }
    let count = watcher.stanzas.count
    watched.stream.send(message("fence"))
    await watcher.wait { $0.stanzas.count > count }
  }

  /// A client of Juliet's that is in, and has all that it needs to come back.
  func boundClient(port: UInt16? = nil) async throws -> (ClientStream, StreamWatcher, Watched?) {
    let (client, watcher) = try client(port: port)
    client.open()
    await watcher.wait { $0.bound != nil || $0.end != nil }
    await wait { $0.accepted.contains { $0.stream.jid == watcher.bound } || watcher.bound == nil }
    let watched = accepted.last { $0.stream.jid != nil && $0.stream.jid == watcher.bound }
    if let watched { await fence(client, watcher, watched) }
    return (client, watcher, watched)
  }
}

/// A message with a body.
func message(_ text: String, to: String? = nil) -> Element {
  Element("message", "jabber:client", ["to": to], children: [Element("body", "jabber:client", text: text)])
}

extension StreamWatcher {
  /// The bodies of what came, without those of fences.
  var bodies: [String] { stanzas.map { $0.element.body }.filter { $0 != "fence" } }
}

extension Element {
  /// The body of a message.
  var body: String { child("body", "jabber:client")?.text ?? "" }
}
