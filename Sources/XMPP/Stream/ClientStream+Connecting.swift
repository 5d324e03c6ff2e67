// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import Logging
internal import Network
internal import TLS
internal import XML

extension ClientStream {
  /// How long a server may take until TLS is up while there are others to try.
  static let candidateLimit = Duration.seconds(5)

  /// Begins to look for the server.
  func connect() async {
    do throws(StreamEnd) {
      guard configuration.account.localpart != nil else {
        throw StreamEnd(.authentication, "\(configuration.account) is a server and no account: it lacks name@.")
      }
      let wanted = try Resolver.server(for: configuration, location: resumption?.location)
      // Closed meanwhile.
      guard phase == .connecting else { return }
      finder = ServerFinder(wanted, lookups: lookups, time: time) { [weak self] step in
        switch step {
        case .lookingUp(let domain): self?.onEvent(.step(.lookingUp(domain)))
        case .connecting(let host, let address):
          self?.onEvent(.step(.connecting(host, address: address.description)))
        }
      }
    } catch {
      return finish(error)
    }
    await connectToNext()
  }

  /// Connects to the server, or to the next one after one that was of no use.
  private func connectToNext() async {
    guard let finder else { return }
    do throws(ServerError) {
      let found = try await finder.next()
      // Closed, or out of time, meanwhile.
      guard phase == .connecting else { return found.transport.close() }
      logger.debug("connected", metadata: ["host": "\(found.host)", "address": "\(found.address)"])
      let transport = found.transport
      if finder.hasOthers, configuration.tls != .off {
        candidateTimer = time.schedule(after: Self.candidateLimit) { [weak self, weak transport] in
          guard let self, let transport, self.transport === transport, !isSecured else { return }
          finish(StreamEnd(.timedOut, "The server takes connections and does not answer."))
        }
      }
      connected(transport, tls: configuration.tls == .off ? .off : found.isDirect ? .direct : .starttls)
    } catch {
      guard phase == .connecting else { return }
      finish(end(error, finder))
    }
  }

  private func end(_ error: ServerError, _ finder: ServerFinder) -> StreamEnd {
    guard let first = rejections.first else { return StreamEnd(error) }
    // What a server said explains more than that others did not answer; alone it explains all.
    guard finder.failureCount > 1 else { return first }
    let isFinal = finder.failureCount == rejections.count && rejections.allSatisfy(\.isFinal)
    return StreamEnd(first.code, error.description, isFinal: isFinal)
  }

  /// Whether the end of a connection is not that of the stream: a server that fails before there is TLS, for whatever
  /// reason but its certificate, is left for the next one (RFC 6120 §3.2.1, XEP-0368 §3).
  func goesOnElsewhere(after end: StreamEnd) -> Bool {
    guard phase == .negotiating, !isSecured, configuration.tls != .off, let finder else { return false }
    guard end.code != .certificate, end.code != .cancelled else { return false }
    finder.reject(end.text)
    rejections.append(end)
    stopCandidateTimer()
    dropConnection()
    phase = .connecting
    spawn { await self.connectToNext() }
    return true
  }

  /// The search is over.
  func stopFinder() {
    stopCandidateTimer()
    finder?.stop()
    finder = nil
  }

  private func stopCandidateTimer() {
    if let candidateTimer { time.cancel(candidateTimer) }
    candidateTimer = nil
  }

  /// Why it took too long, for people.
  var lateness: String {
    let details = finder.map(\.soFar) ?? ""
    return "\(configuration.serverName) did not let us in within \(timeLimit.components.seconds) seconds"
      + (details.isEmpty ? "" : " (\(details))") + ": check the server, the port and the network."
  }
}

extension StreamEnd {
  /// What it is for a stream that no server was found.
  init(_ error: ServerError) {
    let code: Code =
      switch error.code {
      case .network: .network
      case .timedOut: .timedOut
      case .notThisMachine: .protocol
      case .cancelled: .cancelled
      }
    self.init(code, error.description, isFinal: error.code == .notThisMachine || error.code == .cancelled)
  }

  /// What the end of a transport is for a stream.
  init(_ error: TransportError) {
    let code: Code =
      switch error.code {
      case .timedOut: .timedOut
      case .certificate, .trust: .certificate
      case .network, .handshake, .slowReader: .network
      case .cancelled: .cancelled
      }
    self.init(code, Self.sentence(error.description))
  }

  /// What stands in the midst of other errors, fit to stand alone.
  private static func sentence(_ text: String) -> String {
    let first = text.prefix(1).uppercased()
    return first + text.dropFirst() + (text.hasSuffix(".") ? "" : ".")
  }

  /// We closed the stream.
  static var closed: StreamEnd { StreamEnd(.cancelled, "The connection was closed.") }
}

extension Negotiation.Event {
  /// What the parser read, where it is for the negotiation.
  init?(_ event: StreamParser.Event, isLast: Bool) {
    switch event {
    case .opened(let header): self = .opened(header)
    case .stanza(let element): self = .element(element, isLast: isLast)
    case .closed: self = .closed
    case .failed: return nil
    }
  }
}
