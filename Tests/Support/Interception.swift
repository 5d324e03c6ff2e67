// SPDX-License-Identifier: Apache-2.0

/// How a ``FaultProxy`` reads and changes what passes: it is the server to the client, and a client to the server.
public struct Interception: Sendable {
  /// How TLS begins on the client's side.
  public enum Start: Sendable {
    /// There is none.
    case never
    /// At once.
    case direct
    /// As it should, after STARTTLS.
    case starttls
    /// STARTTLS is not offered.
    case missing
    /// STARTTLS is offered, and then nothing is said.
    case withheld
    /// STARTTLS is offered and then refused.
    case refused
    /// Behind the consent comes something in the clear, in the same packet.
    case followed(by: String)
    /// Behind the consent comes no TLS.
    case nonsense
  }
  /// Changes a stream's header, a stanza or a stream's end on its way, and gives the bytes that go on.
  public typealias Change = @Sendable (FaultProxy.Direction, String) -> [UInt8]

  let start: Start
  let certificate: TestCertificate?
  let version: Int32?
  let upstreamVersion: Int32?
  let change: Change
  private let log = Log()

  /// Describes an interception.
  /// - Parameters:
  ///   - certificate: what the client is shown.
  ///   - version: the version of TLS to speak to the client, as OpenSSL numbers them; nil for the newest.
  ///   - upstreamVersion: that to speak to the server; nil where it is spoken to in the clear.
  public init(
    _ start: Start, showing certificate: TestCertificate? = nil, version: Int32? = nil, upstreamVersion: Int32? = nil,
    change: @escaping Change = { Array($1.utf8) }
  ) {
    self.start = start
    self.certificate = certificate
    self.version = version
    self.upstreamVersion = upstreamVersion
    self.change = change
  }

  /// TLS 1.2, as OpenSSL numbers it.
  public static let tls12: Int32 = 0x0303
  /// TLS 1.3, as OpenSSL numbers it.
  public static let tls13: Int32 = 0x0304

  /// A change of what begins with `prefix` and goes one way; everything else passes as it is.
  public static func changing(
    _ direction: FaultProxy.Direction, _ prefix: String, _ change: @escaping @Sendable (String) -> String
  ) -> Change {
    { Array(($0 == direction && $1.hasPrefix(prefix) ? change($1) : $1).utf8) }
  }

  // The proxy's lock guards it.
  private final class Log: @unchecked Sendable {
    var pieces: [String] = []
    var injected = 0
  }

  /// Takes note of stanzas that the server has not sent.
  func note(injected count: Int) { log.injected += count }

  /// The client counts stanzas that the server has not sent: the server is told its own count (XEP-0198 §4).
  func discounted(_ piece: String) -> String {
    guard log.injected > 0, piece.hasPrefix("<a ") || piece.hasPrefix("<resume ") else { return piece }
    return piece.replacing(/h=['"]([0-9]+)['"]/) { "h='\(max(0, (Int($0.1) ?? 0) - log.injected))'" }
  }

  func note(_ piece: String) { if log.pieces.count < 10_000 { log.pieces.append(piece) } }
  func sentByClients() -> [String] { log.pieces }
}

/// One connection that is intercepted.
final class InterceptedCourse {
  /// What is to be sent, and whether the client has ended it.
  struct Outcome {
    var toClient: [UInt8] = []
    var toServer: [UInt8] = []
    var isOver = false
  }

  private enum Stage { case offering, passing, silent, nonsense }

  private let interception: Interception
  private var client: TLSEnd?
  private let server: TLSEnd?
  private var stage: Stage
  private var fromClient = StanzaSplitter()
  private var fromServer = StanzaSplitter()
  // What waits for TLS with the server.
  private var held: [UInt8] = []

  /// - Returns: nil when the certificate cannot be used.
  init?(_ interception: Interception) {
    self.interception = interception
    server = interception.upstreamVersion.flatMap { TLSEnd(version: $0) }
    switch interception.start {
    case .never: stage = .passing
    case .direct:
      stage = .passing
      guard let end = interception.certificate.flatMap({ TLSEnd(as: $0, version: interception.version) }) else {
        return nil
      }
      client = end
    default: stage = .offering
    }
  }

  func begin() -> Outcome {
    guard let server else { return Outcome() }
    _ = server.received([])
    return Outcome(toServer: server.takeOutgoing())
  }

  func received(fromClient bytes: [UInt8]) -> Outcome {
    var outcome = Outcome()
    switch stage {
    case .passing: break
    case .silent: return outcome
    case .nonsense: return Outcome(toClient: Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
    case .offering:
      for piece in fromClient.feed(bytes) { offer(piece, &outcome) }
      return outcome
    }
    let text = client?.received(bytes) ?? bytes
    if let client {
      outcome.toClient += client.takeOutgoing()
      outcome.isOver = client.isOver
    }
    for piece in fromClient.feed(text) {
      interception.note(piece.text)
      say(interception.change(.toServer, interception.discounted(piece.text)), toServer: &outcome)
    }
    return outcome
  }

  func received(fromServer bytes: [UInt8]) -> Outcome {
    var outcome = Outcome()
    let text = server?.received(bytes) ?? bytes
    if let server {
      if server.isSecure {
        server.send(held)
        held = []
      }
      outcome.toServer += server.takeOutgoing()
    }
    for piece in fromServer.feed(text) {
      // Both sides open their streams anew.
      if piece.text.hasPrefix("<success") {
        fromClient = StanzaSplitter()
        fromServer = StanzaSplitter()
      }
      let piece = piece.text.hasPrefix("<stream:features") ? withoutTLS(piece.text) : piece.text
      say(interception.change(.toClient, piece), toClient: &outcome)
    }
    return outcome
  }

  func inject(_ bytes: [UInt8], counting stanzas: Int) -> Outcome {
    interception.note(injected: stanzas)
    var outcome = Outcome()
    say(bytes, toClient: &outcome)
    return outcome
  }

  /// The server has ended the connection.
  func ended() -> Outcome {
    client?.close()
    return Outcome(toClient: client?.takeOutgoing() ?? [])
  }

  private func say(_ bytes: [UInt8], toClient outcome: inout Outcome) {
    guard let client else { return outcome.toClient += bytes }
    client.send(bytes)
    outcome.toClient += client.takeOutgoing()
  }

  private func say(_ bytes: [UInt8], toServer outcome: inout Outcome) {
    guard let server else { return outcome.toServer += bytes }
    guard server.isSecure else { return held += bytes }
    server.send(bytes)
    outcome.toServer += server.takeOutgoing()
  }

  // MARK: STARTTLS

  private static let tls = "urn:ietf:params:xml:ns:xmpp-tls"

  private func offer(_ piece: StanzaSplitter.Piece, _ outcome: inout Outcome) {
    if case .header = piece {
      let offered = if case .missing = interception.start { "" } else { "<starttls xmlns='\(Self.tls)'/>" }
      outcome.toClient += Array(
        ("<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
          + "id='0' from='localhost' version='1.0'><stream:features>\(offered)</stream:features>").utf8)
      return
    }
    guard piece.text.hasPrefix("<starttls") else { return interception.note(piece.text) }
    let consent = Array("<proceed xmlns='\(Self.tls)'/>".utf8)
    stage = .silent
    switch interception.start {
    case .withheld: break
    case .refused: outcome.toClient += Array("<failure xmlns='\(Self.tls)'/></stream:stream>".utf8)
    case .followed(let text): outcome.toClient += consent + Array(text.utf8)
    case .nonsense:
      outcome.toClient += consent
      stage = .nonsense
    default:
      outcome.toClient += consent
      stage = .passing
      fromClient = StanzaSplitter()
      client = interception.certificate.flatMap { TLSEnd(as: $0, version: interception.version) }
      outcome.isOver = client == nil
    }
  }

  private func withoutTLS(_ features: String) -> String {
    guard let start = features.firstRange(of: "<starttls") else { return features }
    let rest = features[start.upperBound...]
    guard let close = rest.firstIndex(of: ">") else { return features }
    let isEmpty = rest[..<close].hasSuffix("/")
    let end = isEmpty ? rest.index(after: close) : rest.firstRange(of: "</starttls>")?.upperBound ?? rest.endIndex
    return String(features[..<start.lowerBound] + features[end...])
  }
}

extension StanzaSplitter.Piece {
  /// Its characters.
  var text: String {
    switch self {
    case .header(let text), .stanza(let text): text
    case .end: "</stream:stream>"
    }
  }
}
