// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import TLS
internal import XML

/// The exchange by which we prove who we are (RFC 6120 §6), element by element, no I/O.
struct Authentication {
  /// What comes next.
  enum Step {
    case send(Element)
    /// Derive this off the loop, then call ``Authentication/derived(_:)``.
    case derive(SCRAM.KeyRequest)
    /// The server knows who we are, and we know that it knew the password.
    case succeeded
    case failed(StreamEnd)
  }

  private enum State {
    case idle
    /// One message is all that we say: the password, or that the certificate is ours.
    case saidAll
    case scram(SCRAM)
    case over
  }

  private let configuration: ClientConfiguration
  private let nonce: String
  private var state = State.idle
  /// What was chosen.
  private(set) var choice: LoginChoice?
  /// The name of what was chosen.
  var mechanism: String { choice?.mechanism.rawValue ?? "" }

  init(_ configuration: ClientConfiguration, nonce: String) {
    self.configuration = configuration
    self.nonce = nonce
  }

  // MARK: Events

  /// Chooses one of the ways that are offered.
  mutating func begin(_ offer: LoginOffer) -> Step {
    do throws(StreamEnd) {
      let choice = try LoginChoice(offer, configuration)
      self.choice = choice
      return try begin(choice)
    } catch {
      state = .over
      return .failed(error)
    }
  }

  private mutating func begin(_ choice: LoginChoice) throws(StreamEnd) -> Step {
    let userName = configuration.account.localpart ?? ""
    if choice.mechanism == .external {
      state = .saidAll
      return .send(auth(choice, authorizationIdentity))
    }
    guard let digest = choice.mechanism.digest else {
      guard !configuration.password.utf8.contains(0) else {
        throw StreamEnd(.authentication, "The password cannot be sent: set it anew.")
      }
      state = .saidAll
      return .send(auth(choice, "\0\(userName)\0\(configuration.password)"))
    }
    do throws(SCRAM.Failure) {
      let scram = try SCRAM(
        digest, userName: userName, password: configuration.password, nonce: nonce, link: choice.link)
      state = .scram(scram)
      return .send(auth(choice, scram.clientFirst))
    } catch {
      throw StreamEnd(.authentication, "Cannot log in: \(error). Set the password anew.")
    }
  }

  /// Which account the certificate is to open, where it does not say so by itself (XEP-0178 §3; RFC 6120 §6.3.8): it
  /// has several addresses, or that of somebody else who may act for us.
  private var authorizationIdentity: String {
    let addresses = configuration.clientCertificate?.xmppAddresses ?? []
    let isUnambiguous = addresses.allSatisfy { (try? BareJID($0)) == configuration.account }
    return isUnambiguous ? "" : configuration.account.description
  }

  /// Takes an element from the server.
  mutating func received(_ element: Element) -> Step {
    guard element.namespace == Namespace.sasl else { return unexpected() }
    switch element.name {
    case "failure":
      state = .over
      return .failed(StreamEnd(saslFailure: element, choice, account: configuration.account))
    case "challenge": return challenged(element)
    case "success": return accepted(element)
    default: return unexpected()
    }
  }

  /// Takes what was derived.
  mutating func derived(_ key: [UInt8]) -> Step {
    withScram { scram throws(SCRAM.Failure) in .send(Self.response(try scram.derived(key))) }
  }

  // MARK: Steps

  private mutating func challenged(_ element: Element) -> Step {
    guard let text = Self.decode(element) else { return unreadable() }
    return withScram { scram throws(SCRAM.Failure) in
      // The proof may come as a challenge of its own, with an empty answer (RFC 4422 §4).
      if scram.isAwaitingProof {
        try scram.received(serverFinal: text)
        return .send(Element("response", Namespace.sasl))
      }
      return .derive(try scram.received(serverFirst: text))
    }
  }

  private mutating func accepted(_ element: Element) -> Step {
    if case .saidAll = state {
      state = .over
      return .succeeded
    }
    guard let text = Self.decode(element) else { return unreadable() }
    return withScram { scram throws(SCRAM.Failure) in
      if !scram.isDone { try scram.received(serverFinal: text) }
      return .succeeded
    }
  }

  private mutating func withScram(_ step: (inout SCRAM) throws(SCRAM.Failure) -> Step) -> Step {
    guard case .scram(var scram) = state else { return unexpected() }
    do throws(SCRAM.Failure) {
      let next = try step(&scram)
      state = .scram(scram)
      return next
    } catch {
      return fail(
        "Logging in was stopped: \(error). If the server is the right one, its administrator can tell why.")
    }
  }

  private mutating func fail(_ text: String) -> Step {
    state = .over
    return .failed(StreamEnd(.authentication, text))
  }

  private mutating func unexpected() -> Step {
    state = .over
    return .failed(StreamEnd(.protocol, "The server sent something else than an answer while we were logging in."))
  }

  private mutating func unreadable() -> Step {
    state = .over
    return .failed(StreamEnd(.protocol, "The server sent a message for logging in that cannot be decoded."))
  }

  // MARK: Elements

  /// An empty message is written as "=": none at all would mean that we wait to be asked (RFC 6120 §6.4.2).
  private func auth(_ choice: LoginChoice, _ message: String) -> Element {
    let text = message.isEmpty ? "=" : Base64.encode(Array(message.utf8))
    return Element("auth", Namespace.sasl, ["mechanism": choice.mechanism.rawValue], text: text)
  }

  private static func response(_ message: String) -> Element {
    Element("response", Namespace.sasl, text: Base64.encode(Array(message.utf8)))
  }

  /// The message inside; "=" stands for an empty one (RFC 6120 §6.4.2).
  private static func decode(_ element: Element) -> String? {
    let text = element.text
    if text.isEmpty || text == "=" { return "" }
    return Base64.decode(text).flatMap { String(validating: $0, as: UTF8.self) }
  }
}
