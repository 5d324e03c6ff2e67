// SPDX-License-Identifier: Apache-2.0

internal import Crypto
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
    case plain
    case scram(SCRAM)
    case over
  }

  private let configuration: ClientConfiguration
  private let nonce: String
  private var state = State.idle
  /// What was chosen.
  private(set) var mechanism = ""

  init(_ configuration: ClientConfiguration, nonce: String) {
    self.configuration = configuration
    self.nonce = nonce
  }

  // MARK: Events

  /// Chooses one of the server's offers.
  mutating func begin(offered: [String], isSecured: Bool) -> Step {
    guard let mechanism = SASLMechanism.strongest(of: offered, isSecured: isSecured) else {
      return fail(Self.nothingInCommon(offered, isSecured: isSecured))
    }
    self.mechanism = mechanism.rawValue
    let userName = configuration.account.localpart ?? ""
    guard let digest = mechanism.digest else {
      guard !configuration.password.isEmpty, !configuration.password.utf8.contains(0) else {
        return fail("The password is empty or cannot be sent: set it anew.")
      }
      state = .plain
      return .send(auth("\0\(userName)\0\(configuration.password)"))
    }
    do throws(SCRAM.Failure) {
      let scram = try SCRAM(digest, userName: userName, password: configuration.password, nonce: nonce)
      state = .scram(scram)
      return .send(auth(scram.clientFirst))
    } catch {
      return fail("Cannot log in: \(error). Set the password anew.")
    }
  }

  /// Takes an element from the server.
  mutating func received(_ element: Element) -> Step {
    guard element.namespace == Namespace.sasl else { return unexpected() }
    switch element.name {
    case "failure":
      state = .over
      return .failed(StreamEnd(saslFailure: element, mechanism: mechanism))
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
    if case .plain = state {
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

  private func auth(_ message: String) -> Element {
    Element("auth", Namespace.sasl, ["mechanism": mechanism], text: Base64.encode(Array(message.utf8)))
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

  private static func nothingInCommon(_ offered: [String], isSecured: Bool) -> String {
    if !isSecured, offered.contains(SASLMechanism.plain.rawValue) {
      return "Without TLS the server takes only the password itself, which is never sent in the clear: "
        + "set tls to starttls."
    }
    if offered.isEmpty {
      return isSecured
        ? "The server offers no way to log in." : "The server offers no way to log in without TLS: set tls to starttls."
    }
    return "The server offers no way to log in that we know; we know SCRAM-SHA-512, -256 and -1, and PLAIN."
  }
}
