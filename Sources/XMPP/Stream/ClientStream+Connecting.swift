// SPDX-License-Identifier: Apache-2.0

internal import EventLoop
internal import TLS
internal import XML

extension ClientStream {
  /// Connects to the first address of the server that answers.
  func connect() async {
    do throws(StreamEnd) {
      guard configuration.account.localpart != nil else {
        throw StreamEnd(.authentication, "\(configuration.account) is a server and no account: it lacks name@.")
      }
      let found = try await Resolver.addresses(of: configuration.serverName, port: configuration.serverPort)
      let addresses = try permitted(found)
      let transport = try await firstAnswer(of: addresses)
      // Closed, or out of time, meanwhile.
      guard phase == .connecting else { return transport.close() }
      connected(transport)
    } catch {
      finish(error)
    }
  }

  /// Without TLS only this very machine is talked to, whatever its name says.
  private func permitted(_ addresses: [SocketAddress]) throws(StreamEnd) -> [SocketAddress] {
    guard configuration.tls == .off else { return addresses }
    let local = addresses.filter(\.isLoopback)
    guard local.isEmpty else { return local }
    throw StreamEnd(
      .protocol,
      "tls off is for a server on this machine, and \(configuration.serverName) is another: set tls to starttls or "
        + "direct.", isFinal: true)
  }

  private func firstAnswer(of addresses: [SocketAddress]) async throws(StreamEnd) -> Transport {
    // One address that swallows everything must not use up the time of the others.
    let limit = max(timeLimit / max(addresses.count, 1), .seconds(3))
    var failure = StreamEnd(.network, "\(configuration.serverName) has no address.")
    for address in addresses {
      do throws(TransportError) {
        return try await Transport.connect(to: address, time: time, timeout: limit)
      } catch {
        failure = StreamEnd(error)
      }
      guard phase == .connecting else { break }
    }
    throw failure
  }
}

extension Resolver {
  /// The name that the server's certificate must have: that of the account's domain, wherever we connect to
  /// (RFC 6120 §13.7.2.1). Whoever can change the parameter or DNS could else lead us to their own server.
  static func certificateName(of domain: String) -> String {
    if domain.utf8.first == UInt8(ascii: "[") { return String(domain.dropFirst().dropLast()) }
    return InternationalName.ascii(domain) ?? domain
  }
}

extension StreamEnd {
  /// What the end of a transport is for a stream.
  init(_ error: TransportError) {
    let code: Code =
      switch error.code {
      case .timedOut: .timedOut
      case .certificate, .trust: .certificate
      case .network, .handshake, .slowReader: .network
      case .cancelled: .cancelled
      }
    self.init(code, error.description)
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
